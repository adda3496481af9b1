import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { QueryError, SourceError } from '../../errors.ts';
import { withSuggestion } from '../../nearest.ts';

/** DuckDB accepts these statements only in parentheses wherever it accepts any SELECT. */
const inspection = /^(?:show|desc|describe|summarize)\b/i;

const result = '"result of the query"';
const resultRows = '"rows of the result"';
const oneSelect = 'Use one SELECT (or DESCRIBE, SUMMARIZE, SHOW TABLES).';

/**
 * Runs SQL from outside, if it is one statement that only reads.
 * @param query.limit the most rows to return; without it the rows are streamed
 *
 * Throws `QueryError` for anything but one statement; DuckDB's own errors pass through, see `asQueryError`.
 */
export async function runSelect(
  connection: DuckDBConnection,
  { sql, limit }: { readonly sql: string; readonly limit?: number },
): Promise<DuckDBResult> {
  const bare = sql.replace(/--.*$|\/\*[^]*?\*\//gm, '').trim();
  if (bare === '') throw new QueryError('The SQL has no statement.', oneSelect);
  if (inspection.test(bare)) return runOne(connection, `FROM (${bare.replace(/;$/, '')})`);
  // The grammar of a view accepts only a SELECT. Any other kind of statement could write: COPY into the files that
  // may be read; EXPORT writes a folder even while it is prepared.
  await runOne(connection, `CREATE TEMP VIEW ${result} AS ${sql}`);
  if (limit !== undefined) return connection.run(`FROM ${result} LIMIT ${limit}`);
  // If a query fails halfway, a streamed result just ends, without an error. So the query runs to its end first, into
  // a table that DuckDB can move to disk.
  await connection.run(`CREATE TEMP TABLE ${resultRows} AS FROM ${result}`);
  return connection.stream(`FROM ${resultRows}`);
}

async function runOne(connection: DuckDBConnection, sql: string): Promise<DuckDBResult> {
  const statements = await connection.extractStatements(sql);
  if (statements.count > 1) throw new QueryError(`The SQL has ${statements.count} statements.`, oneSelect);
  return (await statements.prepare(0)).run();
}

/**
 * DuckDB's error as one sentence with advice. One of our errors, or a defect, is returned unchanged.
 * @param place where the tables are, for messages
 * @param tables the names of all tables there
 */
export function asQueryError(error: unknown, place: string, tables: readonly string[]): unknown {
  if (!(error instanceof Error) || error instanceof SourceError) return error;
  const text = error.message.replace('Failed to extract statements: ', '');
  const [, kind, problem] = /^([A-Z]\w*(?: \w+)*) Error: (.*)/.exec(text) ?? [];
  if (problem === undefined) return error;
  const missing = /^Table with name (\S+) does not exist/.exec(problem)?.[1];
  if (missing !== undefined) {
    return new QueryError(
      `There is no table ${JSON.stringify(missing)} in ${place}.`,
      withSuggestion(missing, tables, `The existing tables are ${tables.join(', ')}.`),
    );
  }
  const line = /^LINE (\d+): /m.exec(text)?.[1];
  const hint = kind === 'Parser' ? oneSelect : /^(?:Did you mean|Candidate|Possible).*/m.exec(text)?.[0];
  return new QueryError(
    `The SQL cannot be run: ${problem}${line === undefined ? '' : ` (line ${line})`}`,
    hint ?? 'DESCRIBE <table> lists the columns of a table.',
  );
}
