import type { ApiRecord } from '../tables/table.ts';
import { parseJsonBytes } from './json.ts';
import { isRecord } from './rows.ts';

/** Rows for DuckDB as text: one JSON object per line. */
export type JsonLines = {
  readonly bytes: Buffer;
  /** How many lines. */
  readonly count: number;
  /** Bytes of the longest line, with its end. */
  readonly longest: number;
};

/** An answer's fields without its records, such as `pagination_meta`. */
export type OtherFields = { readonly [field: string]: unknown };

/** An answer taken apart. Without an array of objects under the table's key it has no records. */
export type ParsedAnswer = { readonly records: readonly ApiRecord[] | undefined; readonly rest: OtherFields };

/** The same, with the records' rows for DuckDB, which are valid until the next answer is read. */
export type AnswerInLines = { readonly lines: JsonLines | undefined; readonly rest: OtherFields };

/** Takes the records out of an answer. Throws `SyntaxError` if the text is not JSON. */
export function parseAnswer(text: Buffer, key: string): ParsedAnswer {
  const body = parseJsonBytes(text);
  if (!isRecord(body)) return { records: undefined, rest: {} };
  const { [key]: records, ...rest } = body;
  const isList =
    Array.isArray(records) && records.every((record) => typeof record === 'object' && record !== null);
  return { records: isList ? (records as readonly ApiRecord[]) : undefined, rest };
}
