import { join } from 'node:path';

import type { Add } from '../delta/actions.ts';
import { dataKey } from '../delta/log.ts';
import { duckTypeOf } from '../delta/schema.ts';
import { syncedAt } from '../delta/target-schema.ts';
import { identifier, literal, parquetFiles } from '../duckdb.ts';
import { withinRoom } from '../store/store.ts';
import type { MergeRequest } from './merge-request.ts';
import { partRows, timeAsSql } from './part-rows.ts';

/** A data file of the merge. */
export type ComparedFile = {
  /** Its number in `matched` and `dropped`. */
  readonly number: number;
  readonly add: Add;
  /** The numbers of the parts with winners for its rows. */
  readonly parts: readonly number[];
  /** The rows to compare by their position, without `to`; all of them if left out. */
  readonly slice?: { readonly from: number; readonly to: number };
};

export type Comparison = {
  /** The number of rows that are replaced by their winners. */
  readonly changed: number;
  /** SQL for the file's rows after the merge. Good until other local files are asked for. */
  readonly select: string;
};

/**
 * Compares the rows of a data file with their winners. In the SQL, the n-th column of the table is `old<n>` in the file
 * and `new<n>` in the parts, and `old_at` and `new_at` are positions in the file: a column may have any name.
 */
export async function compareFile(request: MergeRequest, file: ComparedFile): Promise<Comparison> {
  const { session, columns, now } = request;
  const { path, parts } = await localRows(request, file);
  const existing = await existingRows(request, path, file);
  if (parts === undefined) {
    const values = columns.map(({ field }, n) => `old${n} AS ${identifier(field.name)}`);
    return { changed: 0, select: remainingRows(file, values, existing) };
  }
  const winners = winnersOf(request, file, parts);
  const joined = (join: 'INNER' | 'LEFT') => `
    SELECT *, ${isChanged(request)} AS changed
    FROM (${existing}) AS existing ${join} JOIN (${winners}) AS winners ON old_at = new_at`;
  const [counts] = await session.rows(`
    SELECT count(*) FILTER (changed) AS changed FROM (${joined('INNER')})`);
  const values = columns.map(({ field, staged }, n) => {
    const name = identifier(field.name);
    if (field.name === syncedAt)
      return `CASE WHEN changed THEN ${timeAsSql(now)} ELSE old${n} END AS ${name}`;
    if (staged === undefined) return `old${n} AS ${name}`;
    return `CASE WHEN changed THEN new${n} ELSE old${n} END AS ${name}`;
  });
  return { changed: Number(counts?.['changed']), select: remainingRows(file, values, joined('LEFT')) };
}

/** SQL for the rows of a file, with null in columns that the file lacks. */
async function existingRows(
  { session, table, columns, scratch }: MergeRequest,
  path: string,
  file: ComparedFile,
): Promise<string> {
  const described = await session.rows(`DESCRIBE SELECT * FROM ${parquetFiles([path])}`);
  const present = new Set(described.map(({ column_name: name }) => name));
  const values = columns.map(({ field }, n) => {
    const value = present.has(field.name) ? identifier(field.name) : 'NULL';
    return `${value}::${duckTypeOf(table, field)} AS old${n}`;
  });
  const rows = `SELECT ${values.join(', ')}, file_row_number AS old_at FROM ${parquetFiles([path])}`;
  if (!file.slice) return rows;
  // To read a file takes the memory of a whole row group, which must not be needed at the same time as that of the join.
  const target = join(scratch, 'slice.parquet');
  await session.run(`
    COPY (${rows} WHERE ${isInSlice(file, 'file_row_number')})
    TO ${literal(target)} (FORMAT parquet, COMPRESSION lz4_raw)`);
  return `FROM ${parquetFiles([target])}`;
}

/** SQL for whether a position of the file is to be compared. */
function isInSlice({ slice }: ComparedFile, position: string): string {
  return slice ? `${position} >= ${slice.from} AND ${position} < ${slice.to}` : 'true';
}

/** SQL for the winners of a file's rows. */
function winnersOf({ columns }: MergeRequest, file: ComparedFile, parts: string): string {
  const values = columns.flatMap(({ staged }, n) => (staged === undefined ? [] : [`${staged} AS new${n}`]));
  return `
    SELECT staged.*, matched.pos AS new_at
    FROM (SELECT ${values.join(', ')}, "__part", "__row" FROM (${parts})) AS staged
    JOIN matched ON ${isMatchedIn(file)}`;
}

/** SQL for the condition that a staged row is the winner of a row in a file, of those to be compared. */
function isMatchedIn(file: ComparedFile): string {
  const isWinner = 'matched.part = "__part" AND matched.staged_pos = "__row"';
  return `matched.file = ${file.number} AND ${isWinner} AND ${isInSlice(file, 'matched.pos')}`;
}

/** SQL for whether a row has a winner that differs from it and may replace it. */
function isChanged({ columns, byUpdatedAt, fullRead, asOneReading }: MergeRequest): string {
  const differs = columns.flatMap(({ staged, isVolatile }, n) =>
    staged === undefined || isVolatile ? [] : [`new${n} IS DISTINCT FROM old${n}`],
  );
  const updatedAt = columns.findIndex(({ field }) => field.name === 'updated_at');
  // An unreadable time is null: it does not prove the row older. A row of a full read is what the API has now.
  const isOlder =
    byUpdatedAt && !fullRead && !asOneReading
      ? `coalesce(new${updatedAt} < old${updatedAt}, false)`
      : 'false';
  return `new_at IS NOT NULL AND NOT ${isOlder} AND (${differs.join(' OR ')})`;
}

/** SQL for the rows of a file that stay. */
function remainingRows({ number }: ComparedFile, values: readonly string[], rows: string): string {
  return `
    SELECT ${values.join(', ')}
    FROM (${rows})
    WHERE old_at NOT IN (SELECT pos FROM dropped WHERE file = ${number})`;
}

/**
 * The path of a file, and SQL for the rows of the parts with winners for it; `undefined` if there are no such parts. If
 * there is no room for all these parts on this machine, their winners for this file are first copied into small files.
 */
async function localRows(
  { session, table, local, parts, scratch }: MergeRequest,
  file: ComparedFile,
): Promise<{ path: string; parts: string | undefined }> {
  const key = dataKey(table, file.add);
  const staged = file.parts.map((number) => ({ ...parts[number]!, number }));
  const groups = withinRoom(staged, local.room - file.add.size);
  if (groups.length <= 1) {
    const [path, ...paths] = await local.paths([key, ...staged.map((part) => part.key)]);
    return { path: path!, parts: paths.length === 0 ? undefined : partRows(paths, file.parts) };
  }
  const narrowed: string[] = [];
  for (const [index, group] of groups.entries()) {
    const paths = await local.paths(group.map((part) => part.key));
    const numbers = group.map(({ number }) => number);
    const target = join(scratch, `winners-${index}.parquet`);
    await session.run(`
      COPY (
        SELECT *
        FROM (${partRows(paths, numbers)}) AS staged
        SEMI JOIN matched ON ${isMatchedIn(file)}
      ) TO ${literal(target)} (FORMAT parquet, COMPRESSION lz4_raw)`);
    narrowed.push(target);
  }
  const [path] = await local.paths([key]);
  return { path: path!, parts: `FROM ${parquetFiles(narrowed)}` };
}
