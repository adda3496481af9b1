import { identifier } from '../duckdb.ts';
import type { Replaced } from '../warehouse.ts';

/** SQL for whether a row of a data file is among those that the run replaces; false for a row without a time. */
export function isReplaced({ column, ranges }: Replaced): string {
  const time = `epoch_ms(${identifier(column)})`;
  const within = ranges.map(({ from, to }) => `(${time} >= ${from} AND ${time} < ${to})`);
  return `coalesce(${within.join(' OR ') || 'false'}, false)`;
}
