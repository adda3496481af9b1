import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { usualTables } from './usual-tables.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { columnValue, isOutside } from '../../src/records/rows.ts';
import { tableNamed } from '../../src/tables/index.ts';
import { type ApiRecord, type ColumnType, type Table, valueAt } from '../../src/tables/table.ts';
import { type DeltaRsTable, readWithDeltaRs } from './delta-reader.ts';

type Reference = {
  readonly columns: { readonly [field: string]: { readonly type: string; readonly format?: string } };
};

/** The vendor's reference of a table, so that a wrong declaration is not checked against itself. */
function referenceOf(table: string): Reference {
  const file = new URL(`../fixtures/api-reference/${table}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Reference;
}

/**
 * Expects every table of a destination, read with delta-rs, to equal the sandbox's records: each row exactly once, with
 * every field, and no extra columns.
 */
export async function expectTruth(
  sandbox: Sandbox,
  destination: string,
  tables: readonly string[] = usualTables,
): Promise<void> {
  for (const table of tables) {
    const declared = tableNamed(table);
    const { rows, schema } = await readWithDeltaRs(join(destination, table), { key: declared.primaryKey });
    const keyOf = (row: ApiRecord) => JSON.stringify(declared.primaryKey.map((column) => row[column]));
    const keyOfRecord = (record: ApiRecord) =>
      JSON.stringify(declared.primaryKey.map((column) => columnValue(declared, column, record, undefined)));
    const all = [...sandbox.records(table)].filter((record) => isReachable(declared, record, sandbox.now()));
    const records = new Map(all.map((record) => [keyOfRecord(record), record]));
    expect(new Set(rows.map(keyOf)).size, `${table}: each key once`).toBe(rows.length);
    expect(rows.length, `${table}: rows`).toBe(records.size);
    expect(
      schema.map(({ name }) => name),
      `${table}: columns`,
    ).toEqual([...Object.keys(declared.columns), '_synced_at']);
    const types = typesOf(declared, (name) => typeIn(referenceOf(table), name));
    const wrong = rows.flatMap((row) =>
      differences(row, records.get(keyOf(row)) ?? {}, declared, types).map(
        (name) => `${table}.${name} of ${keyOf(row)}`,
      ),
    );
    expect(wrong, 'values that differ').toEqual([]);
  }
}

/** Whether a row of a table with a window of time is within that of the first read. */
export function isReachable({ timeWindow }: Table, record: ApiRecord, now: number): boolean {
  if (!timeWindow) return true;
  const { columns, firstDaysBack, daysAhead } = timeWindow;
  const [start, end] = [columns.start, columns.end].map((column) => Date.parse(String(record[column])));
  return start! < now + daysAhead * 86_400_000 && end! > now - firstDaysBack * 86_400_000;
}

function typeIn({ columns }: Reference, name: string): ColumnType {
  const field = columns[name];
  if (!field) throw new Error(`the vendor's reference has no ${name}`);
  if (field.type === 'object' || field.type === 'array') return 'json';
  if (field.type === 'integer') return 'bigint';
  if (field.type === 'number') return 'double';
  if (field.type === 'boolean') return 'boolean';
  return field.format === 'date-time' ? 'timestamp' : 'text';
}

type Types = ReadonlyMap<string, ColumnType>;

/** The types of a table's columns, except the column for the pass: no field of the record holds it. */
function typesOf(table: Table, typeOf: (name: string) => ColumnType): Types {
  const { parent } = table;
  const isGiven = (name: string) =>
    isOutside(table, name) || (parent !== undefined && name in parent.columns);
  return new Map(
    Object.entries(table.columns)
      .filter(([name]) => name !== table.passes?.column)
      .map(([name, { type, from }]) => [name, from || isGiven(name) ? type : typeOf(name)]),
  );
}

export function declaredTypesOf(table: Table): Types {
  return typesOf(table, (name) => table.columns[name]!.type);
}

/** The columns in which a row, as delta-rs reads it, differs from its record. */
export function differences(
  row: DeltaRsTable['rows'][number],
  record: ApiRecord,
  { columns }: Table,
  types: Types,
): string[] {
  const wrong: string[] = [];
  for (const [name, type] of types) {
    const from = columns[name]?.from;
    const value = from ? valueAt(record, from) : record[name];
    const found = type === 'json' ? normal(row[name]) : row[name];
    if (found !== cellOf(type, value)) wrong.push(name);
  }
  return wrong;
}

/** The value as delta-rs reads it: times with six digits, 64-bit integers as text, and nested values as normal JSON. */
function cellOf(type: ColumnType, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'json':
      return normal(JSON.stringify(value));
    case 'bigint':
      return (value as number).toFixed(0);
    case 'timestamp': {
      const [seconds, fraction = ''] = (value as string).replace('Z', '').split('.');
      return `${seconds}.${fraction.padEnd(6, '0')}Z`;
    }
    case 'text':
      // A value that is not text goes to the column `<name>__raw`.
      return typeof value === 'object' ? null : value;
    case 'boolean':
    case 'double':
      return value;
  }
}

/** JSON text with its keys sorted, so that equal values have equal texts. */
export function normal(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
