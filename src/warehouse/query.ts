import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { UsageError } from '../errors.ts';
import { dataKey, DeltaLog } from './delta-log.ts';
import { DuckDb, identifier } from './duckdb.ts';
import { fieldsOf, rowsOfFiles } from './schema.ts';
import { sideBySide } from './side-by-side.ts';
import { type Store, stagingFolder } from './store.ts';

export type TableFiles = {
  readonly version: number;
  readonly columns: readonly string[];
  /** The data files of that version. */
  readonly keys: readonly string[];
  /**
   * A SELECT over the rows of that version, every column with its type.
   * @param paths what `Store.withLocal` gives for `keys`
   */
  readonly sql: (paths: readonly string[]) => string;
};

/** The current version of a table for DuckDB. Throws `UsageError` where there is no such table. */
export async function tableFiles(store: Store, table: string): Promise<TableFiles> {
  // Who only reads may not be allowed to write there.
  const duckDb = new DuckDb(() => mkdtemp(join(tmpdir(), 'incident-io-source-')));
  try {
    const snapshot = await new DeltaLog(store, duckDb, table).snapshot();
    if (!snapshot) {
      const names = await tablesIn(store);
      throw new UsageError(
        `There is no table ${JSON.stringify(table)} in this destination.`,
        names.length === 0 ? 'Nothing has been synced into it yet.' : `It has ${names.join(', ')}.`,
      );
    }
    const fields = fieldsOf(snapshot.metadata);
    const names = fields.map(({ name }) => identifier(name)).join(', ');
    return {
      version: snapshot.version,
      columns: fields.map(({ name }) => name),
      keys: [...snapshot.files.values()].map((add) => dataKey(table, add)),
      sql: (paths) => `SELECT ${names} FROM (${rowsOfFiles(table, fields, paths)})`,
    };
  } finally {
    await duckDb.close();
  }
}

/** Names of the Delta tables in a destination, sorted. */
export async function tablesIn(store: Store): Promise<string[]> {
  const folders = (await store.folders()).filter((name) => name !== stagingFolder);
  const isTable = await sideBySide(folders, async (name) => {
    const log = `${name}/_delta_log/`;
    // A log with a checkpoint may be long.
    return (await store.read(`${log}_last_checkpoint`)) !== undefined || (await store.list(log)).length > 0;
  });
  return folders.filter((_, index) => isTable[index]);
}
