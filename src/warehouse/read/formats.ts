import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { jsonOf, textOf } from './values.ts';

/** How a result is printed for programs: all rows, and null told apart from the empty text. */
export type Format = 'json' | 'csv' | 'tsv';

/** Prints a result while its rows are read, so that a large one needs little memory. */
export async function printRows(output: Writable, result: DuckDBResult, format: Format): Promise<void> {
  const lines = { json: jsonLines, csv: csvLines, tsv: tsvLines }[format](result);
  try {
    await pipeline(Readable.from(lines), output, { end: false });
  } catch (error) {
    // `… | head` closes the pipe once it has enough.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

/** An array with one object per line. */
async function* jsonLines(result: DuckDBResult): AsyncGenerator<string> {
  const names = result.deduplicatedColumnNames();
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

/** As PostgreSQL and DuckDB read it: null is an empty field, the empty text a quoted one. */
async function* csvLines(result: DuckDBResult): AsyncGenerator<string> {
  const { stringify } = await import('csv-stringify/sync');
  // Only for texts: the option for all values would quote null as well.
  const cast = { string: (value: string) => ({ value, quoted_empty: true }) };
  const text = (rows: readonly (readonly (string | null)[])[]) => stringify([...rows], { cast });
  yield text([result.columnNames()]);
  for await (const rows of result.yieldRows()) yield text(rows.map((row) => row.map(cellOf)));
}

/** As PostgreSQL's COPY writes text: null is `\N`, and a tab, a line break or a backslash in a value is escaped. */
async function* tsvLines(result: DuckDBResult): AsyncGenerator<string> {
  const text = (row: readonly (string | null)[]) =>
    `${row.map((cell) => (cell === null ? '\\N' : cell.replaceAll(/[\t\n\r\\]/g, escaped))).join('\t')}\n`;
  yield text(result.columnNames());
  for await (const rows of result.yieldRows()) yield rows.map((row) => text(row.map(cellOf))).join('');
}

function cellOf(value: DuckDBValue): string | null {
  return value === null ? null : textOf(value);
}

function escaped(character: string): string {
  return { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' }[character]!;
}
