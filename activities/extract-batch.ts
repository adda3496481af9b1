import { defined } from '../src/defined.ts';
import { CursorRejectedError, SourceError } from '../src/errors.ts';
import type { Call } from '../src/incident-io/client.ts';
import { readLines, type Reader } from '../src/incident-io/pages.ts';
import { splitWindow } from '../src/incident-io/split-window.ts';
import type { NewWindow } from '../src/incident-io/windows.ts';
import { AnswerRows } from '../src/records/answer-rows.ts';
import { spanned } from '../src/spans.ts';
import type { Table } from '../src/tables/table.ts';
import type { PartWriter, Warehouse } from '../src/warehouse/warehouse.ts';
import type { Attempt } from './attempt.ts';
import type { Clients } from './clients.ts';
import type { ExtractInput, Extracted } from './contract.ts';

/** Staged bytes of JSON at which a batch ends whatever its rows: a few rows may hold megabytes of text. */
const batchBytes = 64 * 2 ** 20;

/** What a batch needs from the outside. */
export type BatchWorld = {
  readonly table: Table;
  readonly warehouse: Warehouse;
  readonly clients: Clients;
  readonly attempt: Attempt;
  /** Whether the worker is shutting down. */
  readonly stopping: () => boolean;
};

/** A batch that is being read. */
type Batch = Pick<BatchWorld, 'table' | 'stopping'> & {
  readonly input: ExtractInput;
  readonly client: Reader['client'];
  readonly rows: AnswerRows;
  readonly writer: PartWriter;
  readonly figures: Figures;
  /** What requests are sent with; `work` as in `Call`. */
  readonly call: (work?: number) => Call;
  /** Milliseconds since the epoch. */
  readonly began: number;
};

type Figures = { pages: number; requests: number; bytes: number; waitedMs: number };

/** The batch's time ended while it waited for a token. */
class TimeUp extends Error {}

/**
 * Reads pages of one window and stages their rows as one part: fetch, write, then tell. After an error that a retry
 * may mend, or when the worker shuts down, what was read so far is staged and returned with its cursor: a fault costs
 * time, never progress. Only an attempt that read nothing fails.
 */
export async function extractBatch(
  input: ExtractInput,
  { table, warehouse, clients, attempt, stopping }: BatchWorld,
): Promise<Extracted> {
  const { run } = input;
  const figures: Figures = { pages: 0, requests: 0, bytes: 0, waitedMs: 0 };
  const timeUp = new AbortController();
  const began = Date.now();
  const call = (work?: number): Call =>
    defined({
      signal: attempt.signal,
      waitSignal: figures.pages > 0 ? timeUp.signal : undefined,
      leaveHalf: input.leaveHalf,
      work,
      onRequest: ({ waitedMs, bytes }: { readonly waitedMs: number; readonly bytes: number }) => {
        figures.requests += 1;
        figures.bytes += bytes;
        figures.waitedMs += waitedMs;
        attempt.waited(waitedMs);
      },
    });
  const client = await clients.clientOf(run);
  await clients.assertAccount(run, call());
  const rows = new AnswerRows(table);
  const writer = await warehouse.createPart(table, run.chainId);
  const timer = setTimeout(() => timeUp.abort(new TimeUp()), run.limits.batchMs);
  try {
    const end = await readPages({ input, table, stopping, client, rows, writer, figures, call, began });
    const part = await spanned('stage', { 'incident_io.rows': writer.rows }, () => writer.finish());
    const missing = Object.keys(rows.missing).length > 0 ? rows.missing : undefined;
    return { ...figures, ...end, ...defined({ part, missing }) };
  } catch (error) {
    await writer.abort();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** How a batch ended. */
type BatchEnd = Pick<Extracted, 'next' | 'keepWhole' | 'note'>;

async function readPages(batch: Batch): Promise<BatchEnd> {
  const { input, client, table, rows, writer, figures, call } = batch;
  const { window, startedAt } = input;
  const seen = new Set(input.after === undefined ? startedAt : [...startedAt, input.after]);
  // What the workflow needs to know about this window, however the batch ends.
  let kept: Pick<BatchEnd, 'keepWhole' | 'note'> = {};
  let { after } = input;
  try {
    for (;;) {
      // A window of unknown length goes first: all that comes after it has to wait for all of it.
      const work = window.pages === undefined ? Number.MAX_SAFE_INTEGER : window.pages - figures.pages;
      const reader = { client, table, call: call(work) };
      const page = await readLines(reader, window, after, rows, writer.rows);
      await writer.add(page.lines);
      figures.pages += 1;
      if (page.after === undefined) return { next: { kind: 'done', ...defined({ total: page.total }) } };
      if (seen.has(page.after)) return { next: { kind: 'reopen', reason: 'a cursor came a second time' } };
      seen.add(page.after);
      after = page.after;
      if (figures.pages === window.cutAfter) {
        const split = await splitOrKept(reader, input);
        if ('windows' in split) return { next: { kind: 'split', windows: split.windows } };
        kept = split;
      }
      if (isFull(batch)) return { next: { kind: 'more', after }, ...kept };
    }
  } catch (error) {
    const next = nextAfter(error, batch, after);
    const note = next.kind === 'more' && error instanceof SourceError ? error.message : kept.note;
    return { next, ...kept, ...defined({ note }) };
  }
}

/** Cuts a window that has turned out dense. If that is not worth it or not possible, the window stays whole. */
async function splitOrKept(
  reader: Reader,
  { window, now }: ExtractInput,
): Promise<{ readonly windows: readonly NewWindow[] } | Pick<BatchEnd, 'keepWhole' | 'note'>> {
  const { windows, refused } = await splitWindow(reader, window, now ?? Date.now());
  if (windows.length > 0) return { windows };
  const note = refused && `Read in one window: the endpoint refused its filter (${refused.message})`;
  return { keepWhole: true, ...defined({ note }) };
}

function isFull({ input, writer, began, stopping }: Batch): boolean {
  const { batchRows, batchMs } = input.run.limits;
  const full = writer.rows >= batchRows || writer.bytes >= batchBytes || Date.now() - began >= batchMs;
  return full || stopping();
}

/**
 * Where the window continues after an error. Throws the error if it will not pass by itself, or if nothing was read:
 * then the attempt fails.
 */
function nextAfter(
  error: unknown,
  { figures, stopping }: Batch,
  after: string | undefined,
): Extracted['next'] {
  if (error instanceof CursorRejectedError) return { kind: 'reopen', reason: error.message };
  const isPassing = error instanceof SourceError && error.retry === 'later';
  if (figures.pages === 0 || after === undefined) throw error;
  if (!isPassing && !(error instanceof TimeUp) && !stopping()) throw error;
  return { kind: 'more', after };
}
