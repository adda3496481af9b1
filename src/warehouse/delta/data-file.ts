import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Add } from './actions.ts';
import { dataKey, type DeltaLog } from './log.ts';
import { type DuckSession, literal } from '../duckdb.ts';
import type { Field } from './schema.ts';
import { statisticsOf } from './statistics.ts';
import { linkOrCopy } from '../store/link-or-copy.ts';
import type { Store } from '../store/store.ts';
import type { World } from '../world.ts';

/** The most rows in a data file: few enough that rewriting the file for one changed row is cheap. */
export const rowsPerFile = 100_000;
/** The most compressed bytes that go into a data file, for tables with long rows. */
export const bytesPerFile = 64 * 2 ** 20;
/**
 * A query for a few weeks reads the row groups with their rows, and DuckDB holds one uncompressed in memory. With a
 * third of the rows in each, files grew by 2 %.
 */
export const rowsPerGroup = 8_192;

/** Level 3, the default, takes a tenth more processor time for a whole ingest, and saves 4 % of the bytes. */
const zstdLevel = 1;

/** SQL that writes a data file to a local path and returns its statistics. */
export function copyToDataFile(select: string, path: string): string {
  return `
    COPY (${select}) TO ${literal(path)}
    (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL ${zstdLevel}, ROW_GROUP_SIZE ${rowsPerGroup}, RETURN_STATS)`;
}

/** Where a data file goes, and what writes it. */
export type DataFileWriter = {
  readonly session: DuckSession;
  readonly store: Store;
  readonly table: string;
  /** A local folder for the file before it is uploaded. */
  readonly scratch: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

/** What goes into a data file. */
export type DataFileContent = {
  /** SQL whose columns are `fields`, in the same order. */
  readonly select: string;
  readonly fields: readonly Field[];
  /** `false` if the file only holds rows that other files held before. */
  readonly dataChange: boolean;
};

/** Writes a data file; `undefined` if there is no row. The file is not part of the table until a commit names it. */
export async function writeDataFile(
  { session, store, table, scratch, now }: DataFileWriter,
  { select, fields, dataChange }: DataFileContent,
): Promise<Add | undefined> {
  const name = newName();
  const file = join(scratch, name);
  const [copied] = await session.rows(copyToDataFile(select, file));
  const stats = statisticsOf(copied!, fields);
  if (Number(copied!['count']) === 0) {
    await rm(file);
    return undefined;
  }
  const size = await store.upload(`${table}/${name}`, file);
  return { path: name, partitionValues: {}, size, modificationTime: now, dataChange, stats };
}

/** Makes a finished local file, which stays where it is, a data file with new rows. */
export async function addDataFile(
  { store, table, scratch, now }: DataFileWriter,
  { path, stats }: { readonly path: string; readonly stats: string },
): Promise<Add> {
  const name = newName();
  const file = join(scratch, name);
  await linkOrCopy(path, file);
  const size = await store.upload(`${table}/${name}`, file);
  return { path: name, partitionValues: {}, size, modificationTime: now, dataChange: true, stats };
}

function newName(): string {
  return `part-${randomUUID()}.zstd.parquet`;
}

/**
 * Deletes the data files of a commit that failed because another one took its version. A store may report that even
 * though this very commit took the version and only the answer was lost: then the log names the files, and they stay.
 * @returns whether they stayed
 */
export async function deleteUncommitted(
  { store }: Pick<World, 'store'>,
  log: DeltaLog,
  table: string,
  adds: readonly Add[],
): Promise<boolean> {
  const snapshot = await log.snapshot();
  const unnamed = adds.filter(({ path }) => !snapshot?.files.has(path) && !snapshot?.tombstones.has(path));
  await store.delete(unnamed.map((add) => dataKey(table, add)));
  return unnamed.length < adds.length;
}
