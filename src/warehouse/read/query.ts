import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBResult } from '@duckdb/node-api';
import { closest } from 'fastest-levenshtein';
import { DestinationError, QueryError, SourceError } from '../../errors.ts';
import { identifier, literal } from '../duckdb.ts';
import { destinationOf } from '../store/destination.ts';
import { openStore } from '../store/open-store.ts';
import { type TableFiles, tableFiles, tablesIn } from './table-files.ts';
import type { LocalFiles, Store } from '../store/store.ts';

export type Query = {
  readonly sql: string;
  /** At most so many rows. */
  readonly limit?: number;
  readonly signal: AbortSignal;
};

/**
 * Runs one SELECT over a destination's tables as they stand now and hands its result to `use`. The SQL can read
 * those tables and nothing else, and write nothing.
 *
 * Throws `QueryError` for the SQL, `DestinationError` where there are no tables or one cannot be read.
 */
export async function queryTables<T>(
  destination: string,
  query: Query,
  use: (result: DuckDBResult) => Promise<T>,
): Promise<T> {
  const { signal } = query;
  const place = destinationOf(destination);
  const store = await openStore(place);
  const text = query.sql.toLowerCase();
  const isNamed = (table: string) => text.includes(table.toLowerCase());
  const tables = await tablesOf(store, place, isNamed);
  return store.withLocal(async (local) => {
    const views = await viewsOf(tables, local, isNamed);
    signal.throwIfAborted();
    return inDuckDb(views, query, place, use);
  });
}

/** A table as SQL; `paths` are the files that it reads. */
type TableView = { readonly table: string; readonly sql: string; readonly paths: readonly string[] };

async function inDuckDb<T>(
  views: readonly TableView[],
  query: Query,
  place: string,
  use: (result: DuckDBResult) => Promise<T>,
): Promise<T> {
  const { signal } = query;
  const spill = await mkdtemp(join(tmpdir(), 'incident-io-query-'));
  try {
    const instance = await DuckDBInstance.create(':memory:', {
      temp_directory: spill,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const connection = await instance.connect();
    const interrupt = () => connection.interrupt();
    signal.addEventListener('abort', interrupt);
    try {
      await open(connection, views);
      const used = await use(await select(connection, query));
      // A result that is interrupted ends as if it had no more rows.
      signal.throwIfAborted();
      return used;
    } catch (error) {
      signal.throwIfAborted();
      throw asQueryError(error, place, views);
    } finally {
      signal.removeEventListener('abort', interrupt);
      connection.closeSync();
      instance.closeSync();
    }
  } finally {
    await rm(spill, { recursive: true, force: true });
  }
}

type FoundTable = Pick<TableFiles, 'keys' | 'sql'> & {
  readonly table: string;
  /** In place of the rows, where the query does not name the table: it is there to be listed and described. */
  readonly unnamed: string;
};

/** Throws for a table that is named and cannot be read; another one must not be in the way of the query. */
async function tablesOf(
  store: Store,
  place: string,
  isNamed: (table: string) => boolean,
): Promise<FoundTable[]> {
  const tables = await tablesIn(store);
  if (tables.length === 0) {
    throw new DestinationError(
      `There are no tables in ${place}.`,
      'Give with --from what sync writes to, or fill it: incident-io-source sync --to <destination>.',
    );
  }
  return Promise.all(
    tables.map(async (table) => {
      try {
        const { keys, columns, sql } = await tableFiles(store, table);
        const refusal = literal(`The name ${table} has to stand in the query as it is.`);
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

/** Only tables whose name stands in the query have to be local. */
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

/** Makes the tables all there is: their files may be read, and nothing else. */
async function open(connection: DuckDBConnection, views: readonly TableView[]): Promise<void> {
  await connection.run(`SET TimeZone = 'UTC'`);
  for (const { table, sql } of views) await connection.run(`CREATE VIEW ${identifier(table)} AS ${sql}`);
  const paths = views.flatMap((view) => view.paths).map(literal);
  await connection.run(`SET allowed_paths = [${paths.join(', ')}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
}

/** Ways of asking what there is; DuckDB takes them only in parentheses where it takes any SELECT. */
const asking = /^(?:show|desc|describe|summarize)\b/i;

async function select(connection: DuckDBConnection, { sql, limit }: Query): Promise<DuckDBResult> {
  const bare = sql.replace(/--.*$|\/\*[^]*?\*\//gm, '').trim();
  if (bare === '') throw new QueryError('The SQL holds no statement.', oneSelect);
  if (asking.test(bare)) return runOne(connection, `FROM (${bare.replace(/;$/, '')})`);
  // The grammar of a view admits a SELECT only. A statement of any other kind could write: COPY into the files
  // that may be read, EXPORT a folder even while it is prepared.
  await runOne(connection, `CREATE TEMP VIEW ${result} AS ${sql}`);
  if (limit !== undefined) return connection.run(`FROM ${result} LIMIT ${limit}`);
  // A result that is streamed ends without a word where the query fails half way, so the query is finished
  // first, in a table that DuckDB can move to disk.
  await connection.run(`CREATE TEMP TABLE ${resultRows} AS FROM ${result}`);
  return connection.stream(`FROM ${resultRows}`);
}

const result = '"result of the query"';
const resultRows = '"rows of the result"';
const oneSelect = 'Give one SELECT (also DESCRIBE, SUMMARIZE or SHOW TABLES).';

async function runOne(connection: DuckDBConnection, sql: string): Promise<DuckDBResult> {
  const statements = await connection.extractStatements(sql);
  if (statements.count > 1) throw new QueryError(`The SQL holds ${statements.count} statements.`, oneSelect);
  return (await statements.prepare(0)).run();
}

/** DuckDB's message in one sentence; an error of ours, or a bug, as it is. */
function asQueryError(error: unknown, place: string, views: readonly TableView[]): unknown {
  if (!(error instanceof Error) || error instanceof SourceError) return error;
  const said = error.message.replace('Failed to extract statements: ', '');
  const [, kind, problem] = /^([A-Z]\w*(?: \w+)*) Error: (.*)/.exec(said) ?? [];
  if (problem === undefined) return error;
  const missing = /^Table with name (\S+) does not exist/.exec(problem)?.[1];
  if (missing !== undefined) {
    const tables = views.map(({ table }) => table);
    return new QueryError(
      `There is no table ${JSON.stringify(missing)} in ${place}.`,
      `Did you mean ${closest(missing, tables)}? The tables there are ${tables.join(', ')}.`,
    );
  }
  const line = /^LINE (\d+): /m.exec(said)?.[1];
  const hint = kind === 'Parser' ? oneSelect : /^(?:Did you mean|Candidate|Possible).*/m.exec(said)?.[0];
  return new QueryError(
    `The SQL cannot be run: ${problem}${line === undefined ? '' : ` (line ${line})`}`,
    hint ?? 'See what a table holds: incident-io-source tables <table>.',
  );
}
