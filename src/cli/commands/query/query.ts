import { text } from 'node:stream/consumers';
import type { DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { Command, Option } from 'commander';
import { anyBucket } from '../../../warehouse/store/destination.ts';
import { destinationToRead } from '../../options/destination-to-read.ts';
import type { Session } from '../../session.ts';
import { examples } from '../../terminal/help.ts';
import { count, printTable } from '../../terminal/output.ts';
import type { Format } from '../../../warehouse/read/formats.ts';

/** The most rows printed for people; programs get all of them. */
const printedRows = 1000;

type QueryOptions = {
  readonly from?: string;
  readonly settings?: string;
  readonly csv?: true;
  readonly json?: true;
};

const outputMeans = `
Output: a table on a terminal, the first 1,000 rows; all rows, tab-separated,
if it is piped or redirected. Null and the empty text are told apart:
  tab-separated  null is \\N; tabs, line breaks and backslashes in a value are
                 written as \\t, \\n, \\r and \\\\
  --csv          null is an empty field, the empty text is ""
  --json         null is null, the empty text is ""
`;

/** `query`: SQL over the synced tables. */
export function queryCommand(session: Session): Command {
  return new Command('query')
    .argument('<sql>', 'one SELECT, or - to read it from standard input')
    .option(
      '--from <destination>',
      `where the tables are: a folder or ${anyBucket} (default: as the settings say, otherwise ./warehouse)`,
    )
    .addOption(
      new Option(
        '--settings <file>',
        'settings of the connection (default: incident-io.json, if it is here)',
      ).conflicts('from'),
    )
    .addOption(new Option('--csv', 'print all rows as CSV').conflicts('json'))
    .option('--json', 'print all rows as JSON')
    .addHelpText(
      'after',
      `${outputMeans}${examples(
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
        ['Into a spreadsheet', 'incident-io-source query --csv "FROM users" > users.csv'],
      )}`,
    )
    .action(async (sql: string, options: QueryOptions) => {
      const destination = await destinationToRead(session, options);
      const asked = sql === '-' ? await text(session.stdin) : sql;
      await runQuery(session, destination, asked, formatOf(session, options));
    });
}

function formatOf({ stdout }: Session, { csv, json }: QueryOptions): Format | 'table' {
  if (json) return 'json';
  if (csv) return 'csv';
  return stdout.isTTY === true ? 'table' : 'tsv';
}

/** Prints the result of one SELECT over a destination's tables. Throws what `queryTables` throws. */
export async function runQuery(
  session: Session,
  destination: string,
  sql: string,
  format: Format | 'table',
): Promise<void> {
  // Imported here because loading DuckDB takes a fifth of a second, which no other command should wait for.
  const [{ queryTables }, { textOf }, { printRows }] = await Promise.all([
    import('../../../warehouse/read/query.ts'),
    import('../../../warehouse/read/values.ts'),
    import('../../../warehouse/read/formats.ts'),
  ]);
  const { signal, stdout } = session;
  if (format !== 'table') {
    await queryTables(destination, { sql, signal }, (result) => printRows(stdout, result, format));
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
    stderr.write(
      `note: ${count(left, 'column')} did not fit: select the columns you want, or use --csv or --json.\n`,
    );
  }
  if (rows.length > printedRows) {
    stderr.write(
      `note: only the first ${count(printedRows)} rows are shown: add a LIMIT, or use --csv or --json for all rows.\n`,
    );
  }
}

function isNumber(value: DuckDBValue): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}
