import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBResult, StatementType } from '@duckdb/node-api';
import { closest } from 'fastest-levenshtein';
import { DestinationError, SourceError } from '../errors.ts';
import { dataKey, DeltaLog, type Snapshot } from '../warehouse/delta-log.ts';
import { DuckDb, identifier, literal } from '../warehouse/duckdb.ts';
import { folderStore } from '../warehouse/folder-store.ts';

/** The SQL cannot be run, or ends with an error. */
export class QueryError extends SourceError {
  readonly retry = 'never';
  readonly advice: string;
  constructor(message: string, advice: string) {
    super(message);
    this.advice = advice;
  }
}

/**
 * Runs one SELECT over a destination's tables as they stand now, and hands its result to `use` while rows are
 * still being made. The SQL can read those tables and nothing else, and write nothing.
 *
 * Throws `QueryError` for the SQL, `DestinationError` where there are no tables or one cannot be read.
 */
export async function queryTables<T>(
  destination: string,
  sql: string,
  signal: AbortSignal,
  use: (result: DuckDBResult) => Promise<T>,
): Promise<T> {
  const folder = resolve(destination);
  const tables = await tablesIn(folder);
  const spill = await mkdtemp(join(tmpdir(), 'incident-io-query-'));
  try {
    const relations = await relationsOf(folder, tables, spill);
    signal.throwIfAborted();
    const instance = await DuckDBInstance.create(':memory:', {
      temp_directory: spill,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      TimeZone: 'UTC',
    });
    const connection = await instance.connect();
    const interrupt = () => connection.interrupt();
    signal.addEventListener('abort', interrupt);
    try {
      for (const [table, relation] of relations) {
        await connection.run(`CREATE VIEW ${identifier(table)} AS ${relation}`);
      }
      await connection.run(`SET allowed_directories = [${literal(folder + sep)}]`);
      await connection.run('SET enable_external_access = false');
      await connection.run('SET lock_configuration = true');
      return await use(await select(connection, sql));
    } catch (error) {
      signal.throwIfAborted();
      throw asQueryError(error, folder, tables);
    } finally {
      signal.removeEventListener('abort', interrupt);
      connection.closeSync();
      instance.closeSync();
    }
  } finally {
    await rm(spill, { recursive: true, force: true });
  }
}

/** Names of the folders that hold a Delta table. */
async function tablesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    const problem =
      error.code === 'ENOENT' ? `There is no folder ${folder}.` : `${folder} cannot be read (${error.code}).`;
    throw new DestinationError(problem, syncFirst, { cause: error });
  });
  const tables = names.filter((name) => existsSync(join(folder, name, '_delta_log')));
  if (tables.length > 0) return tables;
  throw new DestinationError(`There are no tables in ${folder}.`, syncFirst);
}

const syncFirst =
  'Give the folder that sync writes to with --from, or fill one: incident-io-source sync --to <folder>.';

/** Each table as SQL over the files of its newest version. */
async function relationsOf(
  folder: string,
  tables: readonly string[],
  spill: string,
): Promise<(readonly [table: string, relation: string])[]> {
  const store = folderStore(folder);
  const duckDb = await DuckDb.open(spill);
  try {
    const relations: (readonly [string, string])[] = [];
    for (const table of tables) {
      const snapshot = await new DeltaLog(store, duckDb, table).snapshot();
      if (!snapshot) continue;
      const keys = [...snapshot.files.values()].map((file) => dataKey(table, file));
      const paths = await Promise.all(keys.map((key) => store.localPath(key)));
      relations.push([table, relationOf(table, snapshot, paths)]);
    }
    return relations;
  } finally {
    await duckDb.close();
  }
}

/**
 * The rows of a version. The head has every column with its type: files from before a column was added lack it,
 * and a table may have no files at all.
 */
function relationOf(table: string, { metadata }: Snapshot, paths: readonly string[]): string {
  const { fields } = JSON.parse(metadata.schemaString) as { fields: { name: string; type: unknown }[] };
  const columns = fields.map(({ name, type }) => {
    const duckType = typeof type === 'string' ? duckTypes[type] : undefined;
    if (duckType === undefined) {
      throw new DestinationError(
        `${table}: its column ${name} has a type that no synced table has.`,
        'Read the table with another tool, or delete its folder and sync again.',
      );
    }
    return `NULL::${duckType} AS ${identifier(name)}`;
  });
  const head = `SELECT ${columns.join(', ')} WHERE false`;
  if (paths.length === 0) return head;
  const files = paths.map(literal).join(', ');
  return `${head} UNION ALL BY NAME SELECT * FROM read_parquet([${files}], union_by_name = true)`;
}

/** Delta's names of the types that columns have. */
const duckTypes: { readonly [type: string]: string } = {
  string: 'VARCHAR',
  timestamp: 'TIMESTAMPTZ',
  boolean: 'BOOLEAN',
  double: 'DOUBLE',
  long: 'BIGINT',
};

async function select(connection: DuckDBConnection, sql: string): Promise<DuckDBResult> {
  if (sql.replace(/--.*$|\/\*[^]*?\*\//gm, '').trim() === '')
    throw notOneSelect('The SQL holds no statement.');
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw notOneSelect(`The SQL holds ${statements.count} statements.`);
  const statement = await statements.prepare(0);
  // Everything else could write: COPY, for one, into the folders that may be read.
  if (statement.statementType !== StatementType.SELECT) {
    throw notOneSelect(`${StatementType[statement.statementType]} statements are not run here.`);
  }
  if (statement.parameterCount > 0)
    throw notOneSelect('The SQL has parameters, for which there are no values.');
  return statement.stream();
}

function notOneSelect(message: string): QueryError {
  return new QueryError(message, 'Give one SELECT (also DESCRIBE, SUMMARIZE or SHOW TABLES).');
}

/** DuckDB's message in one sentence; an error of ours, or a bug, as it is. */
function asQueryError(error: unknown, folder: string, tables: readonly string[]): unknown {
  if (!(error instanceof Error)) return error;
  const said = error.message.replace('Failed to extract statements: ', '');
  const problem = /^[A-Z]\w*(?: \w+)* Error: (.*)/.exec(said)?.[1];
  if (problem === undefined) return error;
  const missing = /^Table with name (\S+) does not exist/.exec(problem)?.[1];
  if (missing !== undefined) {
    return new QueryError(
      `There is no table ${JSON.stringify(missing)} in ${folder}.`,
      `Did you mean ${closest(missing, tables)}? The tables there are ${tables.join(', ')}.`,
    );
  }
  const place = /^LINE (\d+): /m.exec(said)?.[1];
  const hint = /^(?:Did you mean|Candidate|Possible).*/m.exec(said)?.[0];
  return new QueryError(
    `The SQL cannot be run: ${problem}${place === undefined ? '' : ` (line ${place})`}`,
    hint ?? 'See what a table holds: incident-io-source tables <table>.',
  );
}
