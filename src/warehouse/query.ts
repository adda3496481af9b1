import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { UsageError } from '../errors.ts';
import type { Add } from './delta-actions.ts';
import { dataKey, DeltaLog } from './delta-log.ts';
import { DuckDb, identifier, parquetFiles } from './duckdb.ts';
import { duckTypeOf, fieldsOf } from './schema.ts';
import type { Store } from './store.ts';

export type TableFiles = {
  readonly version: number;
  /** A SELECT over the rows of that version, every column with its type. Local paths are in it. */
  readonly sql: string;
  readonly columns: readonly string[];
  /** The files that SQL reads. */
  readonly paths: readonly string[];
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
    const typed = fields.map((field) => `NULL::${duckTypeOf(table, field)} AS ${identifier(field.name)}`);
    const names = fields.map(({ name }) => identifier(name)).join(', ');
    const files = await pathsOf(store, table, [...snapshot.files.values()]);
    // Older files lack the columns that were added since.
    const rows =
      files.length === 0
        ? ''
        : ` UNION ALL BY NAME SELECT * FROM ${parquetFiles(files, ', union_by_name = true')}`;
    return {
      version: snapshot.version,
      sql: `SELECT ${names} FROM (SELECT ${typed.join(', ')} WHERE false${rows})`,
      columns: fields.map(({ name }) => name),
      paths: files,
    };
  } finally {
    await duckDb.close();
  }
}

/** Names of the Delta tables in a destination, sorted. */
export async function tablesIn(store: Store): Promise<string[]> {
  const logs = (await store.list('')).map(({ key }) => /^([^/]+)\/_delta_log\//.exec(key)?.[1]);
  return [...new Set(logs.filter((name) => name !== undefined))].sort();
}

function pathsOf(store: Store, table: string, files: readonly Add[]): Promise<string[]> {
  return Promise.all(files.map((add) => store.localPath(dataKey(table, add))));
}
