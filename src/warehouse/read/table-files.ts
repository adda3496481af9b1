import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DestinationError, UsageError } from '../../errors.ts';
import { dataKey, DeltaLog } from '../delta/log.ts';
import { DuckDb, identifier } from '../duckdb.ts';
import { duckTypeOf, fieldsOf, rowsOfFiles } from '../delta/schema.ts';
import type { Snapshot } from '../delta/snapshot.ts';
import { sideBySide } from '../side-by-side.ts';
import { notesFolder, type Store, stagingFolder } from '../store/store.ts';

export type TableFiles = {
  readonly version: number;
  readonly columns: readonly string[];
  /** The data files of that version. */
  readonly keys: readonly string[];
  /**
   * A SELECT over the rows of that version, each column with its type.
   * @param paths the local files of `keys`, as `Store.withLocal` gives them
   */
  readonly sql: (paths: readonly string[]) => string;
};

/**
 * A version of a table, for DuckDB; the newest if none is given. Throws `UsageError` if there is no such table or
 * version, and `DestinationError` for a table of another writer that stores its rows in a way this reader does not
 * support.
 */
export async function tableFiles(store: Store, table: string, version?: number): Promise<TableFiles> {
  // Not in the store: a reader may not be allowed to write there.
  const engine = new DuckDb({ makeSpillFolder: () => mkdtemp(join(tmpdir(), 'incident-io-source-')) });
  const duckDb = engine.jobsOf(table);
  try {
    const snapshot = await new DeltaLog({ store, duckDb }, table).snapshot(version);
    if (!snapshot && version !== undefined) {
      throw new UsageError(
        `The table ${table} has no version ${version} any more.`,
        'Its log keeps versions for as long as the retention in the settings says: choose a newer one.',
      );
    }
    if (!snapshot) {
      const names = await tablesIn(store);
      throw new UsageError(
        `There is no table ${JSON.stringify(table)} in this destination.`,
        names.length === 0 ? 'Nothing has been synced into it yet.' : `Its tables are ${names.join(', ')}.`,
      );
    }
    assertReadable(table, snapshot);
    const fields = fieldsOf(snapshot.metadata);
    const names = fields.map(({ name }) => identifier(name)).join(', ');
    return {
      version: snapshot.version,
      columns: fields.map(({ name }) => name),
      keys: [...snapshot.files.values()].map((add) => dataKey(table, add)),
      sql: (paths) => `SELECT ${names} FROM (${rowsOfFiles(table, fields, paths)})`,
    };
  } finally {
    await engine.close();
  }
}

function assertReadable(table: string, { protocol, metadata }: Snapshot): void {
  const why =
    protocol.minReaderVersion > 1
      ? `it needs reader version ${protocol.minReaderVersion} of the protocol`
      : metadata.partitionColumns.length > 0
        ? 'it is partitioned'
        : undefined;
  if (why !== undefined) {
    throw new DestinationError(
      `Cannot read the Delta table ${table}: ${why}, which this reader does not support.`,
      'Read it with another engine, or sync into a destination that no other writer uses.',
    );
  }
  for (const field of fieldsOf(metadata)) duckTypeOf(table, field);
}

/** The names of the Delta tables in a destination, sorted. */
export async function tablesIn(store: Store): Promise<string[]> {
  const folders = (await store.folders()).filter((name) => name !== stagingFolder && name !== notesFolder);
  const isTable = await sideBySide(folders, async (name) => {
    const log = `${name}/_delta_log/`;
    // A log with a checkpoint may be long, and one read is cheaper than listing it.
    return (await store.read(`${log}_last_checkpoint`)) !== undefined || (await store.list(log)).length > 0;
  });
  return folders.filter((_, index) => isTable[index]);
}
