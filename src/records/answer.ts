import { cutDeepValues } from './deep-values.ts';
import { decodeJson, parseJson } from './json.ts';
import type { ApiRecord } from '../tables/table.ts';
import { isRecord } from './rows.ts';

/** Rows for DuckDB as text: one JSON object per line. */
export type JsonLines = {
  readonly bytes: Buffer;
  /** How many lines. */
  readonly count: number;
  /** Bytes of the longest line, with its end. */
  readonly longest: number;
  /** Whether any line has more than values of declared columns; unknown if left out. */
  readonly hasExtras?: boolean;
  /** Whether a row that was looked for is among them. */
  readonly found?: boolean;
};

/** An answer's fields without its records, such as `pagination_meta`. */
export type OtherFields = { readonly [field: string]: unknown };

/**
 * An answer split into its parts. Its records are `undefined` if there is no array under the table's key; null counts
 * as an empty array, because some programs write it for one.
 */
export type ParsedAnswer = { readonly records: readonly unknown[] | undefined; readonly rest: OtherFields };

/** The same, with the records' rows for DuckDB, which are valid until the next answer is read. */
export type AnswerInLines = { readonly lines: JsonLines | undefined; readonly rest: OtherFields };

/** An answer's fields; `undefined` if it is not an object. Throws `SyntaxError` if the text is not JSON. */
export function parseBody(text: Buffer): ApiRecord | undefined {
  const json = cutDeepValues(decodeJson(text));
  const body = json.putBack(parseJson(json.text));
  return isRecord(body) ? body : undefined;
}

/** Takes the records out of an answer. Throws `SyntaxError` if the text is not JSON. */
export function parseAnswer(text: Buffer, key: string): ParsedAnswer {
  const body = parseBody(text);
  if (!body) return { records: undefined, rest: {} };
  const { [key]: records, ...rest } = body;
  if (records === null) return { records: [], rest };
  return { records: Array.isArray(records) ? (records as readonly unknown[]) : undefined, rest };
}
