import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { UsageError } from '../../../src/errors.ts';
import { selectedTables, tableNamed, tables } from '../../../src/tables/index.ts';
import { assertParentsSelected, isChild, parentKeyOf, withoutParent } from '../../../src/tables/parents.ts';
import type { ApiRecord, Column, ColumnType, Table } from '../../../src/tables/table.ts';
import { defineTable, valueAt } from '../../../src/tables/table.ts';

const references = new URL('../../fixtures/api-reference/', import.meta.url);

/** What is known about one endpoint: from the vendor's reference or, if that is silent, from measurements by others. */
type ApiReference = {
  path: string;
  deprecated: boolean;
  responseKey: string;
  /** `null` if any key may read it. */
  scope: string | null;
  /** `null` if the endpoint does not page. */
  pageSizeMax: number | null;
  /** Fields that the API leaves empty in larger pages. */
  emptyAbovePageSize?: { [field: string]: number };
  /** The endpoint's own limit. */
  rateLimitPerMinute?: number;
  /** Answers carry `total_record_count`. */
  counted: boolean;
  sortBy: string[];
  /** Parameters without which rows are left out, with the values that return all rows. */
  hidesUnless: { [param: string]: string[] };
  timestampFilters: { [field: string]: 'day' | 'millisecond' | 'undocumented' };
  /** Fields that hold a secret, or a link that is one. */
  secrets?: string[];
  columns: { [field: string]: ReferenceColumn };
};

type ReferenceColumn = {
  type: 'string' | 'boolean' | 'number' | 'integer' | 'object' | 'array';
  required?: true;
  format?: string;
  enum?: string[];
  /** Where the scalars of a nested value are; lists are passed through. */
  paths?: string[];
  source: string;
};

function referenceOf(name: string): ApiReference {
  return JSON.parse(readFileSync(new URL(`${name}.json`, references), 'utf8')) as ApiReference;
}

const types: { [type in ReferenceColumn['type']]: ColumnType } = {
  string: 'text',
  boolean: 'boolean',
  number: 'double',
  integer: 'bigint',
  object: 'json',
  array: 'json',
};

function typeOf(column: ReferenceColumn): ColumnType {
  return column.format === 'date-time' ? 'timestamp' : types[column.type];
}

/** A record in which each scalar is its own path with underscores: `creator.user.id` is `creator_user_id`. */
function recordOf(reference: ApiReference): ApiRecord {
  const record: { [field: string]: unknown } = {};
  for (const [field, column] of Object.entries(reference.columns)) {
    for (const path of column.paths ?? []) {
      const keys = [field, ...path.split('.')];
      const last = keys.pop() as string;
      let parent = record;
      for (const key of keys) parent = (parent[key] ??= {}) as typeof parent;
      parent[last] = [...keys, last].join('_');
    }
  }
  return record;
}

function columnsOf(table: Table): [string, Column][] {
  return Object.entries(table.columns);
}

/** There are dozens of integrations and icons, and new ones appear without notice. */
const mostValuesInASentence = 10;

describe.each(tables.map((table) => ({ name: table.name, table })))('$name', ({ name, table }) => {
  const reference = referenceOf(name);

  it('has the endpoint, response key and scope of the reference', () => {
    expect(reference.deprecated).toBe(false);
    expect({ path: table.path, records: table.records, scope: table.scope }).toEqual({
      path: reference.path,
      records: reference.responseKey,
      scope: reference.scope ?? undefined,
    });
  });

  it('asks for the largest pages that the API serves with every field filled', () => {
    const { pageSizeMax, emptyAbovePageSize = {} } = reference;
    const pageSize = Math.min(pageSizeMax ?? Infinity, ...Object.values(emptyAbovePageSize));
    expect(table.paging).toEqual(pageSizeMax === null ? { kind: 'single' } : { kind: 'pages', pageSize });
  });

  it('declares the endpoint’s own limit and whether it counts', () => {
    const perMinute = reference.rateLimitPerMinute;
    expect(table.bucket).toEqual(
      perMinute === undefined ? undefined : { capacity: perMinute, perSecond: perMinute / 60 },
    );
    // The count of one parent's rows says nothing about the table.
    expect(table.counted ?? false).toBe(reference.counted && !table.parent);
  });

  it('reveals all rows that the endpoint hides', () => {
    const parameters = [...(table.reveals ?? []), ...(table.passes ? [table.passes] : [])];
    const revealed = Object.fromEntries(parameters.map(({ param, values }) => [param, [...values].sort()]));
    const hidden = Object.entries(reference.hidesUnless).map(([param, values]) => [param, values.sort()]);
    expect(revealed).toEqual(Object.fromEntries(hidden));
  });

  it('sends no parameter but a known order: any other one would leave rows out', () => {
    const { sort_by: order, ...others } = table.query ?? {};
    expect(others).toEqual({});
    expect([undefined, ...reference.sortBy]).toContain(order);
  });

  it('reads values that the vendor adds later from a list that has today’s values', () => {
    const lists = (table.reveals ?? []).flatMap(({ moreFrom, values }) =>
      moreFrom ? [{ moreFrom, values }] : [],
    );
    const declared = lists.map(({ moreFrom: { path, records }, values }) => ({
      path,
      records,
      values: [...values].sort(),
    }));
    const listed = lists.map(({ moreFrom: { records, field } }) => {
      const { path, responseKey, columns } = referenceOf(records);
      return { path, records: responseKey, values: columns[field]?.enum?.sort() };
    });
    expect(declared).toEqual(listed);
  });

  it('filters by the timestamps of the reference, and trusts only documented ones', () => {
    const precisions = Object.entries(reference.timestampFilters);
    const [, known] = precisions.find(([, precision]) => precision !== 'undocumented') ?? [];
    const filters = precisions.map(([field, precision]) => {
      const verified = precision !== 'undocumented';
      return [field, { granularity: verified ? precision : known, verified }];
    });
    expect(table.filters ?? {}).toEqual(Object.fromEntries(filters));
  });

  it('is split into windows only if the endpoint filters by created_at: otherwise each would read everything', () => {
    const filtered = 'created_at' in reference.timestampFilters;
    expect(filtered ? ['created_at', undefined] : [undefined]).toContain(table.splitBy);
  });

  it('has a column of the right type for every field of the reference', () => {
    const isSecret = (field: string) => reference.secrets?.includes(field) === true;
    const expected = Object.entries(reference.columns).map(([field, column]) => [
      field,
      isSecret(field) ? undefined : typeOf(column),
    ]);
    const declared = Object.keys(reference.columns).map((field) => [field, table.columns[field]?.type]);
    expect(declared).toEqual(expected);
  });

  // Fails if platforms would declare a list as an object, or the other way round: destinations then drop its values.
  it('declares for every nested value whether it is a list', () => {
    const lists = Object.entries(reference.columns).filter(([, { type }]) => type === 'array');
    const declared = columnsOf(table).filter(([, { list }]) => list);
    expect(declared.map(([name]) => name).sort()).toEqual(lists.map(([name]) => name).sort());
  });

  it('cuts out every field that holds a secret, and no other', () => {
    expect(table.secrets).toEqual(reference.secrets);
  });

  it('requires the fields that the reference requires: a missing optional field must not be reported', () => {
    const required = Object.entries(reference.columns).flatMap(([field, column]) =>
      column.required ? [field] : [],
    );
    const declared = columnsOf(table).flatMap(([column, { required }]) => (required ? [column] : []));
    expect(declared.sort()).toEqual(required.sort());
  });

  it('has no column that the reference cannot fill', () => {
    const unknown = columnsOf(table)
      .filter(([column, { from }]) => from === undefined && reference.columns[column] === undefined)
      .map(([column]) => column);
    const given = [
      ...(table.passes ? [table.passes.column] : []),
      ...(table.lists ? [table.lists.column] : []),
      ...Object.keys(table.fromAnswer ?? {}),
      ...Object.keys(table.parent?.columns ?? {}),
    ];
    expect(unknown.filter((column) => !given.includes(column))).toEqual([]);
  });

  it('takes nested values from the path that the column declares', () => {
    const record = recordOf(reference);
    const taken = columnsOf(table).flatMap(([column, { from }]) =>
      from ? [[column, valueAt(record, from)]] : [],
    );
    // A name that a column of the parent has already is preceded by a word.
    const isTaken = (name: unknown) => typeof name === 'string' && name in (table.parent?.columns ?? {});
    const odd = taken.filter(
      ([column, name]) =>
        column !== name && !(isTaken(name) && String(column).endsWith(`_${name as string}`)),
    );
    expect(odd).toEqual([]);
  });

  it('describes every enum value that the reference lists', () => {
    const untold = Object.entries(reference.columns).flatMap(([field, { enum: values = [] }]) => {
      if (values.length > mostValuesInASentence) return [];
      const words = table.columns[field]?.description.split(/[^\w-]+/) ?? [];
      return values.filter((value) => !words.includes(value)).map((value) => `${field}: ${value}`);
    });
    expect(untold).toEqual([]);
  });

  it('marks every column that identifies a person', () => {
    const naming = /(^|\.)(email|slack_user_id)$/;
    const unmarked = Object.entries(reference.columns)
      .filter(([field, { paths = [] }]) => [field, ...paths].some((path) => naming.test(path)))
      .filter(([field]) => table.columns[field]?.personal !== true);
    expect(unmarked).toEqual([]);
  });

  it('has column names that every Delta reader accepts and that are not ours', () => {
    const names = Object.keys(table.columns);
    expect(new Set(names.map((column) => column.toLowerCase())).size).toBe(names.length);
    expect(names.filter((column) => /[ ,;{}()\n\t=]|^_synced_at$|__raw$|__api$/i.test(column))).toEqual([]);
  });
});

it('has exactly one table per reference', () => {
  const files = readdirSync(references).map((file) => file.replace(/\.json$/, ''));
  expect(tables.map(({ name }) => name).sort()).toEqual(files.sort());
});

it('finds a table by its name, and suggests the nearest one if there is none', () => {
  expect(tableNamed('follow_ups').path).toBe('/v3/follow_ups');
  expect(() => tableNamed('followups')).toThrow(UsageError);
  expect(() => tableNamed('followups')).toThrow(
    expect.objectContaining({
      message: expect.stringContaining('"followups"') as string,
      advice: expect.stringContaining('follow_ups?') as string,
    }),
  );
});

it('does not compile a declaration that contradicts itself', () => {
  const id = { type: 'text', description: 'Id.' } as const;
  const table = {
    name: 'things',
    description: 'One row is a thing.',
    group: 'Incidents',
    path: '/v1/things',
    records: 'things',
    scope: 'things.view',
    paging: { kind: 'single' },
    primaryKey: ['id'],
    columns: { id },
  } as const;
  expect(defineTable(table)).toBe(table);
  // @ts-expect-error An incremental field without a filter would read everything every time.
  expect(defineTable({ ...table, incremental: { by: ['updated_at'], fullReadEvery: '24h' } })).toBeDefined();
  // @ts-expect-error Windows without a filter would each read everything.
  expect(defineTable({ ...table, splitBy: 'created_at' })).toBeDefined();
  // @ts-expect-error A key that is not a column would be null in every row.
  expect(defineTable({ ...table, primaryKey: ['thing_id'] })).toBeDefined();
  const owner_id = { ...id, from: ['owner', 'id'] } as const;
  // @ts-expect-error The rest of a field that is not a column itself would be lost.
  expect(defineTable({ ...table, columns: { id, owner_id } })).toBeDefined();
  // @ts-expect-error Without the column, the pass that a row came in would be lost.
  expect(defineTable({ ...table, passes: { param: 'mode', values: ['a'], column: 'mode' } })).toBeDefined();
});

describe('a table that is read parent by parent', () => {
  const children = tables.filter(isChild);

  it.each(children)(
    '$name has a column for its parent’s key, and names columns that the parent has',
    (table) => {
      const parent = tableNamed(table.parent.table);
      expect(parent.primaryKey).toHaveLength(1);
      expect(Object.keys(table.columns)).toContain(parentKeyOf(table, parent).by);
      const { params, columns, where = [], open = [] } = table.parent;
      const named = [...params, ...where, ...open].map(({ column }) => column);
      for (const column of [...named, ...Object.values(columns)]) {
        expect(Object.keys(parent.columns)).toContain(column);
      }
      const inPath = params.filter((param) => param.in === 'path').map(({ name }) => name);
      expect([...table.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)).toEqual(inPath);
    },
  );

  it('is selected with its parent, by default and with --all', () => {
    expect(withoutParent(selectedTables([]))).toEqual([]);
    expect(withoutParent(selectedTables([], true))).toEqual([]);
  });

  it('is refused without its parent', () => {
    expect(() => assertParentsSelected([tableNamed('call_sessions')])).toThrow(/incidents/);
    expect(() => assertParentsSelected([tableNamed('call_sessions'), tableNamed('incidents')])).not.toThrow();
  });
});
