import { syncedAt } from '../warehouse/delta/target-schema.ts';
import { literal } from '../warehouse/duckdb.ts';
import type { DifferenceRequest } from '../warehouse/read/difference.ts';
import { type Dialect, type PlatformColumn, rowSql } from './columns.ts';
import type { Given } from './read-streams.ts';

/**
 * SQL for the lines of a stream.
 * @param parts what a line has before and after the JSON object of its row
 */
export function linesSql(
  columns: readonly PlatformColumn[],
  { table, deletedAt }: Given,
  { deletedAt: mark }: Dialect,
  [start, end]: readonly [string, string],
): Pick<DifferenceRequest, 'row' | 'deleted'> {
  const line = (row: string) => `concat(${literal(start)}, ${row}, ${literal(`${end}\n`)})`;
  const time = JSON.stringify(`${new Date(deletedAt).toISOString().slice(0, -1)}000Z`);
  const fixed = { [syncedAt]: time, [mark]: time };
  // A deleted row keeps only its key, so that its personal data also disappears where deleted rows are kept.
  const others = columns.filter(({ name }) => !(name in fixed) && !table.primaryKey.includes(name));
  const empty = Object.fromEntries(others.map(({ name }) => [name, 'null']));
  return {
    row: (value) => line(rowSql(columns, value, { [mark]: 'null' })),
    deleted: (value) => line(rowSql(columns, value, { ...empty, ...fixed })),
  };
}
