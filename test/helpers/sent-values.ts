import { join } from 'node:path';
import { expect } from 'vitest';
import { fieldKey } from '../../src/records/unknown-fields.ts';
import type { Sandbox, Transform } from '../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../src/tables/index.ts';
import type { ColumnType } from '../../src/tables/table.ts';
import { readWithDeltaRs } from './delta-reader.ts';

/** Fields and their values as JSON texts: objects would lose digits, duplicate names and `__proto__`. */
export type Sent = readonly (readonly [field: string, json: string])[];

const jsonOf = (fields: Sent) =>
  `{${fields.map(([field, json]) => `${JSON.stringify(field)}:${json}`).join(',')}}`;

/** A record with some of its fields replaced. */
function withFields(record: object, fields: Sent): Sent {
  const replaced = new Set(fields.map(([field]) => field));
  const own = Object.entries(record).filter(([field]) => !replaced.has(field));
  return [...own.map(([field, value]) => [field, JSON.stringify(value)] as const), ...fields];
}

/**
 * Has the sandbox send these fields in the rows of a table, in their order; each row keeps its other fields and its id.
 * @returns what is sent, by id.
 */
export function serve(
  sandbox: Sandbox,
  table: 'incidents' | 'severities',
  records: readonly Sent[],
): Map<string, Sent> {
  const sent = new Map<string, Sent>();
  [...sandbox.records(table)].forEach((record, index) => {
    sent.set(record['id'] as string, withFields(record, records[index] ?? []));
  });
  const transform: Transform = (record, of) =>
    of === table ? jsonOf(sent.get(record['id'] as string)!) : record;
  sandbox.transform = transform;
  return sent;
}

type Read = Awaited<ReturnType<typeof readWithDeltaRs>>;

/** Expects that the table, as delta-rs reads it, has every value that was sent, and no other row. */
export async function expectKept(
  destination: string,
  table: string,
  sent: ReadonlyMap<string, Sent>,
): Promise<void> {
  const { rows, schema } = await readWithDeltaRs(join(destination, table));
  expect(rows).toHaveLength(sent.size);
  expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(sent.keys()));
  const columnWith = (property: string, value: string) =>
    schema.find(({ metadata }) => metadata[property] === value)?.name;
  const lost: string[] = [];
  for (const row of rows) {
    for (const [field, json] of sent.get(row['id'] as string)!) {
      const added = columnWith('incident_io.field', fieldKey(field));
      const raw = columnWith('incident_io.raw', field);
      const isKept =
        json === 'null'
          ? (row[added ?? field] ?? null) === null
          : added === undefined
            ? (raw !== undefined && row[raw] === json) ||
              holds(tableNamed(table).columns[field]?.type, row[field], json) ||
              // A number for an id is kept as text.
              (field.endsWith('_id') && row[field] === json)
            : row[added] === json || JSON.stringify(row[added]) === json;
      if (!isKept) lost.push(`${field} of ${String(row['id'])}: ${json.slice(0, 100)}`);
    }
  }
  expect(lost).toEqual([]);
}

/** Whether a cell of a declared column is the value of this JSON text. */
function holds(type: ColumnType | undefined, cell: Read['rows'][number][string], json: string): boolean {
  if (json === '""' && type !== 'text' && type !== 'json') return cell === null;
  switch (type) {
    case 'json':
      return cell === json;
    case 'bigint':
      return cell === json;
    case 'double':
      return cell === Number(json);
    case 'timestamp':
      return typeof cell === 'string' && microseconds(cell) === microseconds(JSON.parse(json) as string);
    case 'text':
    case 'boolean':
      return JSON.stringify(cell) === json;
    case undefined:
      return false;
  }
}

/** Microseconds since the epoch of an RFC 3339 text without a leap second; further digits are cut off. */
function microseconds(text: string): bigint {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  const seconds = Date.parse(text.replace(/\.\d+/, '')) / 1000;
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
}
