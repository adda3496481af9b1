import { UnexpectedResponseError } from '../errors.ts';
import type { ApiRecord, Table } from '../tables/table.ts';
import type { Answer, Call, Client, Param } from './client.ts';

export type Page<Records = readonly ApiRecord[]> = {
  readonly records: Records;
  /** Where the next page begins; `undefined` when this was the last one. An empty page may still carry one. */
  readonly after: string | undefined;
  /** Records that match, where the endpoint says. */
  readonly total: number | undefined;
  readonly answeredAt: number | undefined;
  readonly bytes: number;
};

export type PageCall = Call & {
  /** Fewer than the table's own size, for a look. */
  readonly pageSize?: number;
};

/** A slice of a table that is paged on its own. */
type Slice = { readonly params: readonly Param[] };

/** One page of a window, from the start or behind a cursor. Throws the errors of `errors.ts`. */
export async function readPage(
  client: Client,
  table: Table,
  window: Slice,
  after: string | undefined,
  call: PageCall,
): Promise<Page> {
  const answer = await client.get(table.path, paramsOf(table, window, after, call), call, table.bucket);
  return pageOf(table, answer, answer.body, recordsOf(answer, table.path, table.records));
}

/** What is left of an answer whose records somebody took. */
type Rest<Records> = {
  /** `undefined` where the answer has no array of them. */
  readonly records: Records | undefined;
  readonly rest: { readonly [field: string]: unknown };
};

/** The same, for one who takes the records out of the answer's text. */
export async function takePage<Records>(
  client: Client,
  table: Table,
  window: Slice,
  after: string | undefined,
  call: Call,
  take: (text: Buffer) => Promise<Rest<Records>>,
): Promise<Page<Records>> {
  const params = paramsOf(table, window, after, call);
  const answer = await client.take(table.path, params, call, table.bucket, take);
  const { records, rest } = answer.body;
  if (records === undefined) throw noRecords(table.path, table.records);
  return pageOf(table, answer, rest, records);
}

function paramsOf(table: Table, window: Slice, after: string | undefined, { pageSize }: PageCall): Param[] {
  const params: Param[] = [...window.params];
  if (table.paging.kind === 'pages') params.push(['page_size', String(pageSize ?? table.paging.pageSize)]);
  if (after !== undefined) params.push(['after', after]);
  return params;
}

function pageOf<Records>(
  table: Table,
  { answeredAt, bytes }: Pick<Answer, 'answeredAt' | 'bytes'>,
  rest: { readonly [field: string]: unknown },
  records: Records,
): Page<Records> {
  const meta = rest['pagination_meta'] as
    { after?: unknown; total_record_count?: unknown } | null | undefined;
  // Also of a list that has come whole so far: should it begin to page, its other pages are wanted too.
  const next = meta?.after ?? '';
  if (typeof next !== 'string') {
    throw new UnexpectedResponseError(`GET ${table.path}: a cursor that is no text`);
  }
  return {
    records,
    after: next === '' ? undefined : next,
    total: typeof meta?.total_record_count === 'number' ? meta.total_record_count : undefined,
    answeredAt,
    bytes,
  };
}

/** The array of records under the response's key. Throws `UnexpectedResponseError` where there is none. */
export function recordsOf(answer: Answer, path: string, key: string): readonly ApiRecord[] {
  const records = answer.body[key];
  if (!Array.isArray(records) || records.some((record) => typeof record !== 'object' || record === null)) {
    throw noRecords(path, key);
  }
  return records as readonly ApiRecord[];
}

function noRecords(path: string, key: string): UnexpectedResponseError {
  return new UnexpectedResponseError(`GET ${path}: no array of records under "${key}"`);
}
