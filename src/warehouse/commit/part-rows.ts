import { rawColumn } from '../../records/rows.ts';
import { furtherColumn, unknownColumn } from '../../records/unknown-fields.ts';
import { identifier, parquetFiles } from '../duckdb.ts';

/** The columns of a part in addition to the declared ones, unless it is made like a data file. */
export const extraColumns = [
  [rawColumn, 'MAP(VARCHAR, VARCHAR)'],
  [unknownColumn, 'MAP(VARCHAR, VARCHAR)'],
  [furtherColumn, 'VARCHAR'],
] as const;

const noExtras = extraColumns.map(([name, type]) => `NULL::${type} AS ${identifier(name)}`).join(', ');

type Layout = { readonly areDataFiles: boolean };

/** Gives each item its place in the list, which it keeps when the list is divided. */
export function numbered<Item extends object>(items: readonly Item[]): (Item & { number: number })[] {
  return items.map((item, number) => ({ ...item, number }));
}

/**
 * SQL for the rows of some of the staged parts, with the number of their part (`__part`) and their position in it
 * (`__row`).
 * @param numbers of the parts, in the order of the paths
 */
export function partRows(
  paths: readonly string[],
  numbers: readonly number[],
  { areDataFiles }: Layout = { areDataFiles: false },
): string {
  // DuckDB counts files in this list of paths, which need not have all parts.
  const number = `[${numbers.join(', ')}][file_index::BIGINT + 1]`;
  return `
    SELECT *, ${areDataFiles ? `${noExtras}, ` : ''}${number} AS "__part", file_row_number AS "__row"
    FROM ${parquetFiles(paths)}`;
}

/** SQL that reads all rows of staged parts. */
export function partFiles(paths: readonly string[], { areDataFiles }: Layout): string {
  const files = parquetFiles(paths);
  return areDataFiles ? `(SELECT *, ${noExtras} FROM ${files})` : files;
}

/** Milliseconds since the epoch as SQL. */
export function timeAsSql(time: number): string {
  return `TIMESTAMPTZ '${new Date(time).toISOString()}'`;
}
