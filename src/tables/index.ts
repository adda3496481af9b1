import { UsageError } from '../errors.ts';
import { withSuggestion } from '../nearest.ts';
import * as declared from './declared.ts';
import { nestedTables } from './nested/index.ts';
import { type Group, groups, type Table } from './table.ts';

/** All tables, ordered by name. */
export const tables: readonly Table[] = Object.values(declared).toSorted((a, b) =>
  a.name < b.name ? -1 : 1,
);

/** The table with this name. Throws `UsageError`, with the nearest name, if there is none. */
export function tableNamed(name: string): Table {
  const table = tables.find((table) => table.name === name);
  if (table !== undefined) return table;
  const parent = nestedTables.find((nested) => nested.name === name)?.itemsOf.table.name;
  if (parent !== undefined) {
    throw new UsageError(
      `${name} is made from a list inside ${parent}, and comes with it.`,
      `Name ${parent} instead.`,
    );
  }
  const names = tables.map((table) => table.name);
  throw new UsageError(
    `There is no table ${JSON.stringify(name)}.`,
    withSuggestion(name, names, `The tables are ${names.join(', ')}.`),
  );
}

/** The tables that are synced by default. */
export const defaultTables: readonly Table[] = tables.filter(({ selectedBy }) => selectedBy === undefined);

/** Every table but those that have to be named. */
const allButNamed: readonly Table[] = tables.filter(({ selectedBy }) => selectedBy !== 'name');

/**
 * The tables with these names, each once; if none are named, the default ones, or with `all` every table but those
 * that have to be named. Throws as `tableNamed` does, and a `UsageError` for names next to `all`.
 */
export function selectedTables(names: readonly string[], all = false): readonly Table[] {
  if (names.length === 0) return all ? allButNamed : defaultTables;
  if (all) {
    throw new UsageError(
      'Tables cannot be named together with --all.',
      'Leave out --all to select only the named tables, or leave out the names.',
    );
  }
  return [...new Set(names)].map(tableNamed);
}

/** Tables by what they are about, in the order of `groups`; groups without a table are left out. */
export function inGroups(chosen: readonly Table[]): readonly (readonly [Group, readonly Table[]])[] {
  return groups.flatMap((group) => {
    const own = chosen.filter((table) => table.group === group);
    return own.length === 0 ? [] : [[group, own] as const];
  });
}
