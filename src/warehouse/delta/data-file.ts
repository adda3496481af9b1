import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Add } from './actions.ts';
import { dataKey, type DeltaLog } from './log.ts';
import { type DuckSession, literal } from '../duckdb.ts';
import type { Field } from './schema.ts';
import { statisticsOf } from './statistics.ts';
import type { Store } from '../store/store.ts';

/** Rows of a data file: few enough that rewriting one for a changed row is cheap. */
export const rowsPerFile = 100_000;
/** Compressed bytes of what makes a data file, where rows are long. */
export const bytesPerFile = 64 * 2 ** 20;
/** DuckDB holds a row group a thread in memory, uncompressed. */
const rowsPerGroup = 24_576;

export type DataFileRequest = {
  readonly table: string;
  /** SQL whose columns are `fields`, in their order. */
  readonly select: string;
  readonly fields: readonly Field[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly dataChange: boolean;
  /** A local folder for the file on its way. */
  readonly scratch: string;
};

/** Writes a data file of a table; `undefined` where there is no row. Nobody sees it before a commit names it. */
export async function writeDataFile(
  session: DuckSession,
  store: Store,
  { table, select, fields, now, dataChange, scratch }: DataFileRequest,
): Promise<Add | undefined> {
  const name = `part-${randomUUID()}.zstd.parquet`;
  const file = join(scratch, name);
  const [copied] = await session.rows(
    `COPY (${select}) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowsPerGroup}, RETURN_STATS)`,
  );
  const stats = statisticsOf(copied!, fields);
  if (Number(copied!['count']) === 0) {
    await rm(file);
    return undefined;
  }
  return {
    path: name,
    partitionValues: {},
    size: await store.upload(`${table}/${name}`, file),
    modificationTime: now,
    dataChange,
    stats,
  };
}

/**
 * Deletes the files of a version that somebody else has taken. A store may say that it was taken though it was
 * this very commit that took it, and its answer was lost: then the log knows the files, and they stay.
 * @returns whether they stayed
 */
export async function deleteUncommitted(
  store: Store,
  log: DeltaLog,
  table: string,
  adds: readonly Add[],
): Promise<boolean> {
  const snapshot = await log.snapshot();
  const unknown = adds.filter(({ path }) => !snapshot?.files.has(path) && !snapshot?.tombstones.has(path));
  await store.delete(unknown.map((add) => dataKey(table, add)));
  return unknown.length < adds.length;
}
