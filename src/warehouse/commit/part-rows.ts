import { parquetFiles } from '../duckdb.ts';

/** Gives each item its place in the list, which it keeps when the list is divided. */
export function numbered<Item extends object>(items: readonly Item[]): (Item & { number: number })[] {
  return items.map((item, number) => ({ ...item, number }));
}

/**
 * SQL for the rows of some of the staged parts, with the number of their part (`__part`) and their position in it
 * (`__row`).
 * @param numbers of the parts, in the order of the paths
 */
export function partRows(paths: readonly string[], numbers: readonly number[]): string {
  // DuckDB counts files in this list of paths, which need not have all parts.
  const number = `[${numbers.join(', ')}][file_index::BIGINT + 1]`;
  return `
    SELECT *, ${number} AS "__part", file_row_number AS "__row"
    FROM ${parquetFiles(paths)}`;
}

/** Milliseconds since the epoch as SQL. */
export function timeAsSql(time: number): string {
  return `TIMESTAMPTZ '${new Date(time).toISOString()}'`;
}
