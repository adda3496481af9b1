import { UnexpectedResponseError } from '../errors.ts';
import type { ApiRecord, Table } from '../tables/table.ts';
import type { Answer, Call, Client, Param } from './client.ts';

export type Page = {
  readonly records: readonly ApiRecord[];
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

/** One page of a window, from the start or behind a cursor. Throws the errors of `errors.ts`. */
export async function readPage(
  client: Client,
  table: Table,
  window: { readonly params: readonly Param[] },
  after: string | undefined,
  call: PageCall,
): Promise<Page> {
  const params: Param[] = [...window.params];
  if (table.paging.kind === 'pages')
    params.push(['page_size', String(call.pageSize ?? table.paging.pageSize)]);
  if (after !== undefined) params.push(['after', after]);
  const answer = await client.get(table.path, params, call, table.bucket);
  const meta = answer.body['pagination_meta'] as
    { after?: unknown; total_record_count?: unknown } | null | undefined;
  const next = table.paging.kind === 'pages' ? (meta?.after ?? '') : '';
  if (typeof next !== 'string') {
    throw new UnexpectedResponseError(`GET ${table.path}: a cursor that is no text`);
  }
  return {
    records: recordsOf(answer, table.path, table.records),
    after: next === '' ? undefined : next,
    total: typeof meta?.total_record_count === 'number' ? meta.total_record_count : undefined,
    answeredAt: answer.answeredAt,
    bytes: answer.bytes,
  };
}

/** The array of records under the response's key. Throws `UnexpectedResponseError` where there is none. */
export function recordsOf(answer: Answer, path: string, key: string): readonly ApiRecord[] {
  const records = answer.body[key];
  if (!Array.isArray(records) || records.some((record) => typeof record !== 'object' || record === null)) {
    throw new UnexpectedResponseError(`GET ${path}: no array of records under "${key}"`);
  }
  return records as readonly ApiRecord[];
}
