import { defined } from '../src/defined.ts';
import { ApiUnavailableError } from '../src/errors.ts';
import { differingDays } from '../src/incident-io/differing-days.ts';
import { readPage } from '../src/incident-io/pages.ts';
import { dayMs, daysParam } from '../src/incident-io/windows.ts';
import type { Param } from '../src/incident-io/client.ts';
import type { Part } from '../src/warehouse/part.ts';
import type { TableState } from '../src/warehouse/warehouse.ts';
import type { Attempt } from './attempt.ts';
import type { RecountInput, Recounted } from './contract.ts';
import { extractBatch } from './extract-batch.ts';
import type { Step } from './step.ts';

/** Requests that counting and reading days again may cost, at one per day. If more are needed, a full read does it. */
const maxRequests = 60;
/** After this many runs in a row in which the API counted more rows than the table has, they are not merely newer. */
const patience = 2;

/**
 * Finds the days of `created_at` for which the API's count differs from the table's, reads those days again, and drops
 * the rows that have gone. So the next run removes a deleted row, at the cost of a few requests.
 * Rows that appear meanwhile are added, never dropped.
 *
 * Throws `ApiUnavailableError` if the API lists fewer rows of a day than it counts, or no longer counts them.
 */
export async function recountSync(input: RecountInput, step: Step, attempt: Attempt): Promise<Recounted> {
  const { run, plannedOn } = input;
  const { table, warehouse, clients, call } = step;
  const state = await warehouse.readState(table);
  if (state?.counter !== plannedOn) {
    // If an earlier attempt has committed, it may have been killed before it deleted its parts.
    await warehouse.discardStaged(table, run.chainId);
    return { status: 'agrees' };
  }
  const base: Param[] = [...Object.entries(table.query ?? {}), ...(JSON.parse(state.filters) as Param[])];
  const client = await clients.clientOf(run);
  let requests = 0;
  const countOf = async (params: readonly Param[]) => {
    requests += 1;
    const { total } = await readPage({ client, table, call }, { params: [...base, ...params] }, undefined, 1);
    return total;
  };
  const counted = await countOf([]);
  if (counted === undefined) return unknown('the API gave no count', requests);
  const total = counted - state.countOffset;
  const isNewer = total > state.rows && state.differences < patience;
  // Newer rows arrive with the next run anyway.
  if (total === state.rows || isNewer) return { status: 'agrees' };

  const { perDay, undated } = await warehouse.rowsByDay(table, 'created_at');
  const differing = await differingDays({
    held: perDay,
    heldUndated: undated,
    total,
    today: Math.floor((input.now ?? Date.now()) / dayMs),
    countOf: ({ first, last }) => countOf([daysParam(table, first, last)]),
    maxRequests: maxRequests / 2,
  });
  if (differing.status === 'unknown') return unknown(differing.reason, requests);
  const { days } = differing;
  if (days.length > maxRequests - requests) return unknown('too many days differ', requests);
  try {
    const parts: Part[] = [];
    for (const day of days) {
      const read = await readDay(input, base, day, step, attempt);
      parts.push(...read.parts);
      requests += read.requests;
      if (requests > maxRequests) return unknown('the days that differ have too many pages', requests);
    }
    // The rate limit may have made the read long. Rows of two accounts must not end up in one table.
    await clients.identify(run, call);
    return await commitDays(input, state, days, parts, step, { requests, total: await countOf([]) });
  } finally {
    await warehouse.discardStaged(table, run.chainId);
  }
}

/** Commits the days that were read again: rows of them that were not read are dropped. */
async function commitDays(
  { run, plannedOn }: RecountInput,
  state: TableState,
  days: readonly number[],
  parts: readonly Part[],
  { table, warehouse }: Step,
  { requests, total }: { readonly requests: number; readonly total: number | undefined },
): Promise<Recounted> {
  const { counter: _counter, rows: _rows, disturbed: _disturbed, types: _types, ...kept } = state;
  const outcome = await warehouse.commit(table, {
    chainId: run.chainId,
    parts,
    fullRead: false,
    plannedOn,
    replaces: {
      column: 'created_at',
      ranges: days.map((day) => ({ from: day * dayMs, to: (day + 1) * dayMs })),
    },
    state: kept,
    ...defined({ retentionMs: run.retentionMs, total }),
  });
  if (outcome.status !== 'committed') return { status: 'agrees' };
  const { version, rows, inserted, updated, dropped, differences } = outcome;
  if (differences > 0) return unknown('the counts still differ after the days were read again', requests);
  return { status: 'recounted', version, rows, inserted, updated, dropped, days: days.length, requests };
}

/** Reads a day and the days before and after it, because the time zone of bare dates is unknown. */
async function readDay(
  { run, now }: RecountInput,
  base: readonly Param[],
  day: number,
  { table, warehouse, clients }: Step,
  attempt: Attempt,
): Promise<{ readonly parts: readonly Part[]; readonly requests: number }> {
  const window = { id: day, params: [...base, daysParam(table, day - 1, day + 1)] };
  const world = { table, warehouse, clients, attempt, stopping: () => false };
  const parts: Part[] = [];
  let requests = 0;
  let after: string | undefined;
  const startedAt: string[] = [];
  for (;;) {
    const batch = await extractBatch({ run, window, startedAt, ...defined({ after, now }) }, world);
    if (batch.part) parts.push(batch.part);
    requests += batch.requests;
    if (batch.next.kind === 'done' && batch.next.total !== undefined) {
      const rows = parts.reduce((sum, part) => sum + part.rows, 0);
      if (rows >= batch.next.total) return { parts, requests };
    }
    if (batch.next.kind !== 'more') {
      throw new ApiUnavailableError(
        `${table.name}: the API lists fewer rows created around day ${new Date(day * dayMs).toISOString().slice(0, 10)} than it counts`,
      );
    }
    if (after !== undefined) startedAt.push(after);
    after = batch.next.after;
  }
}

function unknown(reason: string, requests: number): Recounted {
  return { status: 'unknown', reason, requests };
}
