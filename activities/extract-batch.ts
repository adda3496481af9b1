import { CursorRejectedError, SourceError } from '../src/errors.ts';
import type { Call, Client } from '../src/incident-io/client.ts';
import { takePage } from '../src/incident-io/pages.ts';
import { splitWindow } from '../src/incident-io/windows.ts';
import { spanned } from '../src/spans.ts';
import type { Table } from '../src/tables/table.ts';
import type { PartWriter, Warehouse } from '../src/warehouse/warehouse.ts';
import type { Attempt } from './attempt.ts';
import type { Clients } from './clients.ts';
import type { ExtractInput, Extracted } from './contract.ts';

/** Staged bytes (JSON) at which a batch ends whatever its rows: a few rows may hold megabytes of text. */
const batchBytes = 64 * 2 ** 20;

/**
 * Reads pages of one window and stages their rows as one part: fetch, write, then tell. What was read before an
 * error that a retry may mend, or before the worker shuts down, is staged and returned with its cursor, so a
 * fault costs time and never progress. Only an attempt that read nothing fails.
 */
export async function extractBatch(
  input: ExtractInput,
  table: Table,
  warehouse: Warehouse,
  clients: Clients,
  attempt: Attempt,
  stopping: () => boolean,
): Promise<Extracted> {
  const { run } = input;
  const figures = { pages: 0, requests: 0, bytes: 0, waitedMs: 0 };
  const timeUp = new AbortController();
  const began = Date.now();
  const call = (work?: number): Call => ({
    signal: attempt.signal,
    ...(figures.pages > 0 && { waitSignal: timeUp.signal }),
    ...(input.leaveHalf && { leaveHalf: true }),
    ...(work !== undefined && { work }),
    onRequest: ({ waitedMs, bytes }) => {
      figures.requests += 1;
      figures.bytes += bytes;
      figures.waitedMs += waitedMs;
      attempt.waited(waitedMs);
    },
  });
  const client = await clients.clientOf(run);
  await clients.assertAccount(run, call());
  const writer = await warehouse.createPart(table, run.chainId);
  const timer = setTimeout(() => timeUp.abort(new TimeUp()), run.limits.batchMs);
  try {
    const outcome = await readOn(input, table, client, writer, figures, call, stopping, began);
    const part = await spanned('stage', { 'incident_io.rows': writer.rows }, () => writer.finish());
    const { missing } = writer;
    const lacks = Object.keys(missing).length > 0;
    return { ...(part && { part }), ...figures, ...outcome, ...(lacks && { missing }) };
  } catch (error) {
    await writer.abort();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The two minutes of a batch are over while it waits for a token. */
class TimeUp extends Error {}

type Outcome = Pick<Extracted, 'next' | 'keepWhole' | 'note'>;

async function readOn(
  { run, window, after: from, startedAt, now }: ExtractInput,
  table: Table,
  client: Client,
  writer: PartWriter,
  figures: { pages: number },
  call: (work: number) => Call,
  stopping: () => boolean,
  began: number,
): Promise<Outcome> {
  const { batchRows, batchMs } = run.limits;
  const seen = new Set(from === undefined ? startedAt : [...startedAt, from]);
  // What the workflow should know of this window, however the batch ends.
  let kept: Pick<Outcome, 'keepWhole' | 'note'> = {};
  let after = from;
  try {
    for (;;) {
      // What comes after in a window of unknown length has to wait for all of it, so it goes first.
      const work = window.pages === undefined ? Number.MAX_SAFE_INTEGER : window.pages - figures.pages;
      const page = await takePage(client, table, window, after, call(work), (answer) =>
        writer.add(answer, window.pass),
      );
      figures.pages += 1;
      if (page.after === undefined) {
        return { next: { kind: 'done', ...(page.total !== undefined && { total: page.total }) } };
      }
      if (seen.has(page.after)) return { next: { kind: 'reopen', reason: 'a cursor came a second time' } };
      seen.add(page.after);
      after = page.after;
      if (figures.pages === window.cutAfter) {
        const { windows, refused } = await splitWindow(client, table, window, now ?? Date.now(), call(work));
        if (windows.length > 0) return { next: { kind: 'split', windows } };
        kept = { keepWhole: true };
        if (refused)
          kept = {
            ...kept,
            note: `Read in one window: the endpoint refused its filter (${refused.message})`,
          };
      }
      const full = writer.rows >= batchRows || writer.bytes >= batchBytes || Date.now() - began >= batchMs;
      if (full || stopping()) return { next: { kind: 'more', after }, ...kept };
    }
  } catch (error) {
    if (error instanceof CursorRejectedError)
      return { next: { kind: 'reopen', reason: error.message }, ...kept };
    const passing =
      error instanceof TimeUp || stopping() || (error instanceof SourceError && error.retry === 'later');
    if (figures.pages === 0 || after === undefined || !passing) throw error;
    return {
      next: { kind: 'more', after },
      ...kept,
      ...(error instanceof SourceError && { note: error.message }),
    };
  }
}
