import { PassThrough, Readable } from 'node:stream';
import type { DuckDBResult } from '@duckdb/node-api';
import pLimit from 'p-limit';
import { defined } from '../../defined.ts';
import { QueryError } from '../../errors.ts';
import { readSettings } from '../../settings/file.ts';
import { printRows } from '../../warehouse/read/formats.ts';
import { queryTables } from '../../warehouse/read/query.ts';
import { jsonOf } from '../../warehouse/read/values.ts';
import type { Json, RowsResult } from '../contract/common.ts';
import type { SqlAnswer, SqlRequest } from '../contract/data.ts';

/** The most rows in an answer to the page; the CSV has all of them. */
export const mostRows = 1_000;
const mostSeconds = 60;
/** A query from the page must not use up the memory, disk or cores that syncs need. */
const limits = { threads: 2, memory: '512MB', spilled: '4GB' };
/** Further queries wait, since each one may use its full share of the memory. */
const inTurn = pLimit(2);

type Question = SqlRequest & { readonly limit?: number };

/** Runs one SELECT over the tables of a connection, within limits. Throws what `queryTables` throws. */
async function ask<T>(
  file: string,
  { sql, versions, limit }: Question,
  signal: AbortSignal,
  use: (result: DuckDBResult) => Promise<T>,
): Promise<T> {
  const { destination } = await readSettings(file);
  return inTurn(async () => {
    signal.throwIfAborted();
    const tooLong = AbortSignal.timeout(mostSeconds * 1_000);
    const query = {
      sql,
      limits,
      signal: AbortSignal.any([signal, tooLong]),
      ...defined({ versions, limit }),
    };
    try {
      return await queryTables(destination, query, use);
    } catch (error) {
      if (!tooLong.aborted || signal.aborted) throw error;
      throw new QueryError(
        `The SQL has not finished after ${mostSeconds} seconds.`,
        'Ask for less, or run it with incident-io-source query, which has no time limit.',
        { cause: error },
      );
    }
  });
}

/** The first rows of a result. */
export async function rowsOf(
  file: string,
  question: SqlRequest & { readonly limit: number },
  signal: AbortSignal,
): Promise<RowsResult> {
  return ask(file, question, signal, async (result) => {
    const types = result.columnTypes();
    return {
      columns: result.columnNames().map((name, i) => ({ name, type: String(types[i]) })),
      rows: (await result.getRows()).map((row) => row.map((value): Json => jsonOf(value))),
    };
  });
}

/** The answer to SQL that a person wrote. */
export async function answerSql(file: string, request: SqlRequest, signal: AbortSignal): Promise<SqlAnswer> {
  const began = Date.now();
  // One row more than is shown, to find out whether there are more.
  const { columns, rows } = await rowsOf(file, { ...request, limit: mostRows + 1 }, signal);
  return {
    columns,
    rows: rows.slice(0, mostRows),
    more: rows.length > mostRows,
    limit: mostRows,
    seconds: (Date.now() - began) / 1_000,
  };
}

/** All rows as CSV. Rejects if the SQL cannot be run; a later failure breaks off the stream. */
export async function sqlAsCsv(
  file: string,
  request: SqlRequest,
  signal: AbortSignal,
): Promise<ReadableStream> {
  const output = new PassThrough();
  const written = ask(file, request, signal, (result) => printRows(output, result, 'csv')).then(
    () => void output.end(),
  );
  const begun = new Promise<void>((resolve) => output.once('readable', resolve));
  await Promise.race([begun, written]);
  void written.catch((error: Error) => output.destroy(error));
  return Readable.toWeb(output) as ReadableStream;
}
