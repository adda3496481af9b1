import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Sandbox, sandboxTables } from '../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../src/tables/index.ts';
import { valueAt } from '../../src/tables/table.ts';
import { readWithDeltaRs } from './delta-reader.ts';

type Reference = {
  readonly columns: { readonly [field: string]: { readonly type: string; readonly format?: string } };
};

/** The vendor's word on a table's types, so that a wrong declaration does not agree with itself. */
function referenceOf(table: string): Reference {
  const file = new URL(`../fixtures/api-reference/${table}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Reference;
}

/**
 * Expects every table of a destination, read by delta-rs, to hold exactly the records the sandbox has: each row
 * once, every field of it, and no column more.
 */
export async function expectTruth(
  sandbox: Sandbox,
  destination: string,
  tables: readonly (typeof sandboxTables)[number][] = sandboxTables,
): Promise<void> {
  for (const table of tables) {
    const { rows, schema } = await readWithDeltaRs(join(destination, table));
    const records = new Map([...sandbox.records(table)].map((record) => [record['id'] as string, record]));
    expect(new Set(rows.map(({ id }) => id)).size, `${table}: a key stands once`).toBe(rows.length);
    expect(rows.length, `${table}: rows`).toBe(records.size);
    const { columns } = tableNamed(table);
    expect(
      schema.map(({ name }) => name),
      `${table}: columns`,
    ).toEqual([...Object.keys(columns), '_synced_at']);
    const reference = referenceOf(table);
    const wrong: string[] = [];
    for (const row of rows) {
      const record = records.get(row['id'] as string) ?? {};
      for (const [name, column] of Object.entries(columns)) {
        const field = reference.columns[name];
        // The pass of a follow-up is in no field.
        if (!field && !column.from) continue;
        const expected = field ? cellOf(field, record[name]) : (valueAt(record, column.from!) ?? null);
        const found = field && isNested(field) ? normal(row[name]) : row[name];
        if (found !== expected) wrong.push(`${table}.${name} of ${String(row['id'])}`);
      }
    }
    expect(wrong, 'values that differ').toEqual([]);
  }
}

function isNested({ type }: { readonly type: string }): boolean {
  return type === 'object' || type === 'array';
}

/** The value as delta-rs gives it: times with six digits, 64-bit integers as text; nested ones as normal JSON. */
function cellOf(field: { readonly type: string; readonly format?: string }, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (isNested(field)) return normal(JSON.stringify(value));
  if (field.type === 'integer') return (value as number).toFixed(0);
  if (field.format !== 'date-time') return value;
  const [seconds, fraction = ''] = (value as string).replace('Z', '').split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}Z`;
}

/** JSON text in one spelling, whatever the order of its keys. */
function normal(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
