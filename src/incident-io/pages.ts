import { RecordShapeError, UnexpectedResponseError } from '../errors.ts';
import { type JsonLines, type OtherFields, parseAnswer } from '../records/answer.ts';
import type { AnswerRows } from '../records/answer-rows.ts';
import { type Given, isRecord } from '../records/rows.ts';
import type { ApiRecord, Table } from '../tables/table.ts';
import type { Call, Client, Param } from './client.ts';
import { parsed } from './json-answers.ts';

/** A table's endpoint, read through a client, with the options of its requests. */
export type Reader = { readonly client: Client; readonly table: Table; readonly call: Call };

/** A part of a table that is paged on its own. */
export type Slice = {
  readonly params: readonly Param[];
  readonly pass?: string;
  /** The parent whose rows it has: the path of its list, and the columns that are set from its row. */
  readonly parent?: { readonly path: string; readonly given: Given };
};

/** What follows a page. */
export type Paged = {
  /** Where the next page begins; `undefined` on the last page. An empty page may still carry one. */
  readonly after: string | undefined;
  /** How many records match (`total_record_count`), if the endpoint says. */
  readonly total: number | undefined;
};

/**
 * Reads one page, from the start of a slice or after a cursor, and parses its records.
 * @param pageSize fewer records than the table's own page size, for a look
 *
 * Throws the errors of `Client.get`, `UnexpectedResponseError` for an answer without a list of records, and
 * `RecordShapeError`.
 */
export async function readPage(
  { client, table, call }: Reader,
  slice: Slice,
  after: string | undefined,
  pageSize?: number,
): Promise<Paged & { readonly records: readonly ApiRecord[] }> {
  const params = paramsOf(table, slice, after, pageSize);
  const path = pathOf(table, slice);
  const answer = await client.get(path, params, call, table.bucket);
  const { records, rest } = parsed(path, answer, (text) => parseAnswer(text, table.records));
  if (!records) throw withoutRecords(path, table.records);
  const odd = records.findIndex((record) => !isRecord(record));
  if (odd >= 0)
    throw new RecordShapeError(`${table.name}: record ${odd + 1} of a page is not a JSON object.`);
  return { records: records as readonly ApiRecord[], ...pagingOf(table, rest) };
}

/**
 * The same, with the records made into rows for DuckDB.
 * @param rows makes the rows of all pages of a batch
 * @param before records of the batch that came earlier, for errors
 *
 * A full page that does not say what follows is requested once more. An answer that lost its end looks like that, and
 * taking it for the last page would lose all rows after it. If the second answer does not say either, it is believed,
 * with a note.
 */
export async function readLines(
  { client, table, call }: Reader,
  slice: Slice,
  after: string | undefined,
  rows: AnswerRows,
  before: number,
): Promise<Paged & { readonly lines: JsonLines; readonly note?: string }> {
  const path = pathOf(table, slice);
  const read = async () => {
    const answer = await client.get(path, paramsOf(table, slice, after), call, table.bucket);
    const { lines, rest } = parsed(path, answer, (text) =>
      rows.read(text, slice.pass, before, slice.parent?.given),
    );
    if (!lines) throw withoutRecords(path, table.records);
    return { lines, endsInMidAir: endsInMidAir(table, lines, rest), ...pagingOf(table, rest) };
  };
  const first = await read();
  if (!first.endsInMidAir) return first;
  const second = await read();
  if (!second.endsInMidAir) return second;
  return {
    ...second,
    note: 'A full page came twice without pagination_meta, and was treated as the last one.',
  };
}

/** Whether a page is full and does not say what follows, although the endpoint pages. */
function endsInMidAir({ paging }: Table, { count }: JsonLines, rest: OtherFields): boolean {
  return paging.kind === 'pages' && count >= paging.pageSize && (rest['pagination_meta'] ?? null) === null;
}

function pathOf({ path }: Table, { parent }: Slice): string {
  return parent?.path ?? path;
}

function paramsOf(
  { paging, timeWindow }: Table,
  slice: Slice,
  after: string | undefined,
  pageSize?: number,
): Param[] {
  const params: Param[] = [...slice.params];
  if (paging.kind === 'pages') params.push(['page_size', String(pageSize ?? paging.pageSize)]);
  if (after === undefined) return params;
  if (!timeWindow) return [...params, ['after', after]];
  // The cursor moves the start of the window.
  return params.map((param) => (param[0] === timeWindow.from ? [timeWindow.from, after] : param));
}

/** Reads `pagination_meta`. */
function pagingOf({ path }: Table, rest: OtherFields): Paged {
  const meta = rest['pagination_meta'] as
    { after?: unknown; total_record_count?: unknown } | null | undefined;
  // Even for an endpoint that has always sent its list whole: if it begins to page, the other pages are needed too.
  const next = meta?.after ?? '';
  if (typeof next !== 'string') {
    throw new UnexpectedResponseError(`GET ${path}: the cursor of the next page is not text`);
  }
  return {
    after: next === '' ? undefined : next,
    total: typeof meta?.total_record_count === 'number' ? meta.total_record_count : undefined,
  };
}

export function withoutRecords(path: string, key: string): UnexpectedResponseError {
  return new UnexpectedResponseError(`GET ${path}: no array of records under "${key}"`);
}
