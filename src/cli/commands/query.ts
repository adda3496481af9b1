import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { Command } from 'commander';
import { examples } from '../terminal/help.ts';
import { count, printTable } from '../terminal/output.ts';
import type { Session } from '../session.ts';

/** The most rows printed for people; with --json all rows are printed. */
const printedRows = 1000;

/** `query`: SQL over the synced tables. */
export function queryCommand(session: Session): Command {
  return new Command('query')
    .description('query synced tables with SQL (DuckDB); only reads, and never sees a half-finished sync')
    .argument('<sql>', 'one SELECT, or - to read it from standard input')
    .option('--from <destination>', 'where the tables are: a folder or s3://bucket/prefix', './warehouse')
    .option('--json', 'print all rows as JSON')
    .addHelpText(
      'after',
      examples(
        ['List the tables', 'incident-io-source query "SHOW TABLES"'],
        [
          'Incidents per month',
          `incident-io-source query "SELECT date_trunc('month', created_at) AS month, count(*) AS incidents
    FROM incidents WHERE mode = 'standard' GROUP BY ALL ORDER BY month"`,
        ],
        [
          'Nested values are stored as JSON text',
          `incident-io-source query "SELECT reference, severity->>'$.name' AS severity FROM incidents"`,
        ],
        [
          'A long query from a file, with JSON output',
          'incident-io-source query - --from ./warehouse --json < report.sql',
        ],
      ),
    )
    .action(async (sql: string, { from, json }: { from: string; json?: true }) => {
      await runQuery(session, from, sql === '-' ? await text(session.stdin) : sql, json === true);
    });
}

/** Prints the result of one SELECT over a destination's tables. Throws what `queryTables` throws. */
export async function runQuery(
  session: Session,
  destination: string,
  sql: string,
  json = false,
): Promise<void> {
  // Imported here because loading DuckDB takes a fifth of a second, which no other command should wait for.
  const [{ queryTables }, { jsonOf, textOf }] = await Promise.all([
    import('../../warehouse/read/query.ts'),
    import('../../warehouse/read/values.ts'),
  ]);
  const { signal } = session;
  if (json) {
    await queryTables(destination, { sql, signal }, (result) => printAsJson(session, result, jsonOf));
    return;
  }
  // One more row than is printed shows whether there are more.
  const query = { sql, signal, limit: printedRows + 1 };
  await queryTables(destination, query, (result) => printAsTable(session, result, textOf));
}

async function printAsTable(
  { stdout, stderr }: Session,
  result: DuckDBResult,
  textOf: (value: DuckDBValue) => string,
): Promise<void> {
  const rows = await result.getRows();
  const left = printTable(
    stdout,
    rows.slice(0, printedRows),
    result.columnNames().map((head, i) => ({
      head,
      value: (row: readonly DuckDBValue[]) => textOf(row[i]!),
      ...(rows.some((row) => isNumber(row[i]!)) && { align: 'right' as const }),
    })),
  );
  if (left > 0) {
    stderr.write(`note: ${count(left, 'column')} did not fit: select the columns you want, or use --json.\n`);
  }
  if (rows.length > printedRows) {
    stderr.write(
      `note: only the first ${count(printedRows)} rows are shown: add a LIMIT, or use --json for all rows.\n`,
    );
  }
}

function isNumber(value: DuckDBValue): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** Prints one object per line while the rows are read, so that a large result needs little memory. */
async function printAsJson(
  { stdout }: Session,
  result: DuckDBResult,
  jsonOf: (value: DuckDBValue) => unknown,
): Promise<void> {
  const names = result.deduplicatedColumnNames();
  async function* lines(): AsyncGenerator<string> {
    let separator = '[\n';
    for await (const rows of result.yieldRows()) {
      for (const row of rows) {
        const object = Object.fromEntries(names.map((name, i) => [name, jsonOf(row[i]!)]));
        yield `${separator}${JSON.stringify(object)}`;
        separator = ',\n';
      }
    }
    yield separator === '[\n' ? '[]\n' : '\n]\n';
  }
  try {
    await pipeline(Readable.from(lines()), stdout, { end: false });
  } catch (error) {
    // `… | head` closes the pipe once it has enough.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}
