import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { DestinationError, SourceError } from '../../errors.ts';
import { identifier, literal } from '../duckdb.ts';
import { openDuckDb, type QueryLimits } from '../open-duckdb.ts';
import { destinationOf } from '../store/destination.ts';
import { openStore } from '../store/open-store.ts';
import type { LocalFiles, Store } from '../store/store.ts';
import { asQueryError, runSelect } from './select.ts';
import { type TableFiles, tableFiles, tablesIn } from './table-files.ts';

export type Query = {
  readonly sql: string;
  /** The most rows that the result may have. */
  readonly limit?: number;
  /** Tables that are read as of an older version; the others as of their newest. */
  readonly versions?: { readonly [table: string]: number };
  /** How much of the machine the query may use; left out, DuckDB takes what there is. */
  readonly limits?: QueryLimits;
  readonly signal: AbortSignal;
};

/**
 * Runs one SELECT over the current version of a destination's tables and hands the result to `use`. The SQL can read
 * those tables and nothing else, and can write nothing.
 *
 * Throws `QueryError` for the SQL, `DestinationError` if there are no tables or one that is named cannot be read.
 */
export async function queryTables<T>(
  destination: string,
  query: Query,
  use: (result: DuckDBResult) => Promise<T>,
): Promise<T> {
  const place = destinationOf(destination);
  const store = await openStore(place);
  const text = query.sql.toLowerCase();
  const isNamed = (table: string) => text.includes(table.toLowerCase());
  const tables = await tablesOf(store, { place, versions: query.versions ?? {} }, isNamed);
  return store.withLocal(async (local) => {
    const views = await viewsOf(tables, local, isNamed);
    query.signal.throwIfAborted();
    return inDuckDb(query, async (connection) => {
      try {
        await showOnly(connection, views);
        return await use(await runSelect(connection, query));
      } catch (error) {
        query.signal.throwIfAborted();
        const names = views.map(({ table }) => table);
        throw asQueryError(error, place, names);
      }
    });
  });
}

/** A table as SQL; `paths` are the files that it reads. */
type TableView = { readonly table: string; readonly sql: string; readonly paths: readonly string[] };

type FoundTable = Pick<TableFiles, 'keys' | 'sql'> & {
  readonly table: string;
  /** Stands in for the rows if the query does not name the table: it can be listed and described, but not read. */
  readonly unnamed: string;
};

/** Throws for a table that is named and cannot be read. Any other such table must not stop the query. */
async function tablesOf(
  store: Store,
  { place, versions }: { readonly place: string; readonly versions: NonNullable<Query['versions']> },
  isNamed: (table: string) => boolean,
): Promise<FoundTable[]> {
  const tables = await tablesIn(store);
  if (tables.length === 0) {
    throw new DestinationError(
      `There are no tables in ${place}.`,
      'Name the destination that you sync to, or sync into this one first.',
    );
  }
  return Promise.all(
    tables.map(async (table) => {
      try {
        const { keys, columns, sql } = await tableFiles(store, table, versions[table]);
        const refusal = literal(`The query must contain the name of the table ${table} literally.`);
        const cells = columns.map(() => `error(${refusal})`);
        return { table, keys, sql, unnamed: `${sql([])} UNION ALL SELECT ${cells.join(', ')}` };
      } catch (error) {
        if (isNamed(table) || !(error instanceof SourceError)) throw error;
        const problem = `SELECT error(${literal(error.message)}) AS problem`;
        return { table, keys: [], sql: () => problem, unnamed: problem };
      }
    }),
  );
}

/** Only tables that the query names are downloaded. */
async function viewsOf(
  tables: readonly FoundTable[],
  local: LocalFiles,
  isNamed: (table: string) => boolean,
): Promise<TableView[]> {
  const paths = await local.paths(tables.filter(({ table }) => isNamed(table)).flatMap(({ keys }) => keys));
  return tables.map(({ table, keys, sql, unnamed }) => {
    if (!isNamed(table)) return { table, sql: unnamed, paths: [] };
    const own = paths.splice(0, keys.length);
    return { table, sql: sql(own), paths: own };
  });
}

/** Gives `work` a DuckDB of its own, whose queries end when the signal aborts. */
async function inDuckDb<T>(
  { signal, limits }: Pick<Query, 'signal' | 'limits'>,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const spill = await mkdtemp(join(tmpdir(), 'incident-io-query-'));
  try {
    const instance = await openDuckDb({ spill, ...(limits && { limits }) });
    const connection = await instance.connect();
    const interrupt = () => connection.interrupt();
    signal.addEventListener('abort', interrupt);
    try {
      const result = await work(connection);
      // An interrupted result looks like a complete one that has no more rows.
      signal.throwIfAborted();
      return result;
    } finally {
      signal.removeEventListener('abort', interrupt);
      connection.closeSync();
      instance.closeSync();
    }
  } finally {
    await rm(spill, { recursive: true, force: true });
  }
}

/** Creates the views and locks everything else out: SQL that runs afterwards can read their files and no others. */
async function showOnly(connection: DuckDBConnection, views: readonly TableView[]): Promise<void> {
  await connection.run(`SET TimeZone = 'UTC'`);
  for (const { table, sql } of views) await connection.run(`CREATE VIEW ${identifier(table)} AS ${sql}`);
  const paths = views.flatMap((view) => view.paths).map(literal);
  await connection.run(`SET allowed_paths = [${paths.join(', ')}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
}
