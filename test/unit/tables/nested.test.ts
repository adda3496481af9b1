import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { tables } from '../../../src/tables/index.ts';
import { nestedTables } from '../../../src/tables/nested/index.ts';
import { sourceColumn } from '../../../src/tables/nested/nested.ts';

type Reference = { readonly columns: { readonly [field: string]: { readonly paths?: readonly string[] } } };

function pathsIn(table: string, column: string): readonly string[] {
  const file = new URL(`../../fixtures/api-reference/${table}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as Reference).columns[column]?.paths ?? [];
}

/** The paths from the column to an item without the marks of lists: `rotations.users`, or two for alternatives. */
function waysTo(path: string): string[] {
  const [, ...steps] = path.replaceAll(/\[\]|\{\}/g, '').split('.');
  return steps.reduce<string[]>(
    (ways, step) =>
      ways.flatMap((way) => step.split('|').map((field) => [...(way ? [way] : []), field].join('.'))),
    [''],
  );
}

function below(paths: readonly string[], way: string): string[] {
  const prefix = way === '' ? '' : `${way}.`;
  return paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
}

it('nested tables have names of their own', () => {
  const names = [...tables, ...nestedTables].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

describe.each(nestedTables.map((table) => ({ name: table.name, table })))('$name', ({ table }) => {
  const { itemsOf, columns, primaryKey } = table;
  const column = sourceColumn(table);
  const source = itemsOf.table.columns[column];
  const given = new Set([
    ...itemsOf.by,
    itemsOf.position,
    itemsOf.outerPosition,
    itemsOf.entry,
    ...Object.keys(itemsOf.outer ?? {}),
  ]);
  const paths = pathsIn(itemsOf.table.name, column);

  it('is made from a JSON column of a table, and its key begins with that table’s key', () => {
    expect(tables).toContain(itemsOf.table);
    expect(source?.type).toBe('json');
    expect(primaryKey.slice(0, itemsOf.by.length)).toEqual(itemsOf.by);
    expect(itemsOf.by).toHaveLength(itemsOf.table.primaryKey.length);
  });

  it('takes its values from paths that the reference has', () => {
    const fields = Object.entries(columns)
      .filter(([name]) => !given.has(name))
      .map(([name, { from, type }]) => ({ at: (from ?? [name]).join('.'), isJson: type === 'json' }));
    const items = waysTo(itemsOf.path).map((way) => below(paths, way));
    // The reference has no paths for a list of texts, nor for an object whose names are ids.
    for (const { at, isJson } of paths.length === 0 ? [] : fields) {
      const found = items.some((item) =>
        item.some((path) => path === at || (isJson && path.startsWith(`${at}.`))),
      );
      expect({ at, found }).toEqual({ at, found: true });
    }
    const outerWay = waysTo(itemsOf.path)[0]!.split('.').slice(0, -1).join('.');
    for (const path of Object.values(itemsOf.outer ?? {})) {
      expect(below(paths, outerWay)).toContain(path.join('.'));
    }
  });

  it('declares every field of an item: an undeclared one would become a column of its own', () => {
    const known = new Set(Object.entries(columns).map(([name, { from }]) => from?.[0] ?? name));
    const fields = waysTo(itemsOf.path).flatMap((way) =>
      below(paths, way).map((path) => path.split('.')[0]!),
    );
    // A secret of the table is cut out before the list is stored.
    const secrets = (itemsOf.table.secrets ?? []).map((path) => path.split('.').at(-1)!);
    expect(fields.filter((field) => !known.has(field) && !secrets.includes(field))).toEqual([]);
  });

  it('says what each column holds, and is personal only if the list is', () => {
    for (const { description } of [table, ...Object.values(columns)])
      expect(description).toMatch(/^[A-Z].*\.$/);
    const isPersonal = Object.values(columns).some(({ personal }) => personal);
    expect(isPersonal && !source?.personal).toBe(false);
  });
});
