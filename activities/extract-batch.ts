import { defined } from '../src/defined.ts';
import { CursorRejectedError, SourceError, UnexpectedResponseError } from '../src/errors.ts';
import type { Call } from '../src/incident-io/client.ts';
import { readLines, type Reader } from '../src/incident-io/pages.ts';
import { type Place, splitWindow } from '../src/incident-io/split-window.ts';
import type { NewWindow } from '../src/incident-io/windows.ts';
import { edgeTimes } from '../src/records/edge-times.ts';
import { AnswerRows } from '../src/records/answer-rows.ts';
import { spanned } from '../src/spans.ts';
import type { Table } from '../src/tables/table.ts';
import type { PartWriter } from '../src/warehouse/part.ts';
import type { Attempt } from './attempt.ts';
import type { ExtractInput, Extracted } from './contract.ts';
import type { Step } from './step.ts';

/**
 * After this many pages in a row without a record, the list is assumed to have no end. A page can hide up to 250
 * records from a key, and no account hides that many in a row.
 */
const mostEmptyPages = 1_000;

/** Staged bytes of JSON at which a batch ends regardless of its rows: a few rows may hold megabytes of text. */
export const batchBytes = 64 * 2 ** 20;

/** What a batch needs from the outside. */
export type BatchWorld = Pick<Step, 'table' | 'warehouse' | 'clients'> & {
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
  readonly call: (own: Pick<Call, 'work' | 'waitSignal'>) => Call;
  /** Ends a wait for a token when the batch's time is over. */
  readonly waitSignal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly began: number;
};

export type Figures = { pages: number; requests: number; bytes: number; waitedMs: number };

/** The batch's time ended while it waited for a token. */
export class TimeUp extends Error {}

/**
 * Reads pages of one window and stages their rows as one part, before it reports the cursor. After an error that a
 * retry may fix, or when the worker shuts down, the rows read so far are staged and returned with their cursor: a fault
 * costs time, never progress. Only an attempt that read no row fails, because pages without rows may go on forever.
 */
export async function extractBatch(input: ExtractInput, world: BatchWorld): Promise<Extracted> {
  const { writer, extracted } = await readBatch(input, world);
  return { ...extracted, ...(await stage(writer)) };
}

/** A batch that was read and not staged yet: its holder must either stage it or abort the writer. */
export type UnstagedBatch = { readonly writer: PartWriter; readonly extracted: Extracted };

/** Stages the rows of a batch, if it has read any. The writer deletes its files if it fails. */
export async function stage(writer: PartWriter): Promise<Pick<Extracted, 'part'>> {
  return defined({
    part: await spanned('stage', { 'incident_io.rows': writer.rows }, () => writer.finish()),
  });
}

/** Reads what `extractBatch` stages. */
export async function readBatch(
  input: ExtractInput,
  { table, warehouse, clients, attempt, stopping }: BatchWorld,
): Promise<UnstagedBatch> {
  const { run } = input;
  const figures: Figures = { pages: 0, requests: 0, bytes: 0, waitedMs: 0 };
  const timeUp = new AbortController();
  const began = Date.now();
  const call = callOf(input, attempt, figures);
  const client = await clients.clientOf(run);
  await clients.assertAccount(run, call({}));
  const rows = new AnswerRows(table, await clients.rulesOf(run), input.window.until);
  const writer = await warehouse.createPart(table, run.chainId, { isFirst: input.isFirst === true });
  const timer = setTimeout(() => timeUp.abort(new TimeUp()), run.limits.batchMs);
  try {
    const { signal: waitSignal } = timeUp;
    const end = await readPages({
      input,
      table,
      stopping,
      client,
      rows,
      writer,
      figures,
      call,
      waitSignal,
      began,
    });
    const missing = Object.keys(rows.missing).length > 0 ? rows.missing : undefined;
    const withheld = rows.withheld.length > 0 ? rows.withheld : undefined;
    return { writer, extracted: { ...figures, ...end, ...defined({ missing, withheld }) } };
  } catch (error) {
    await writer.abort();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** What the requests of a batch are sent with; their figures are added up. */
export function callOf({ run, leaveHalf }: ExtractInput, attempt: Attempt, figures: Figures): Batch['call'] {
  return (own) => ({
    signal: attempt.signal,
    patienceMs: run.limits.giveUpAfterMs,
    onRequest: ({ waitedMs, refused, bytes }) => {
      figures.requests += 1;
      figures.bytes += bytes;
      figures.waitedMs += waitedMs;
      attempt.waited(waitedMs, refused);
    },
    onRefused: attempt.waitsUntil,
    ...defined({ leaveHalf }),
    ...own,
  });
}

/** How a batch ended. */
type BatchEnd = Pick<Extracted, 'next' | 'keepWhole' | 'note'>;

async function readPages(batch: Batch): Promise<BatchEnd> {
  const { input, client, table, rows, writer, figures, call } = batch;
  const { window, startedAt } = input;
  const seen = new Set(input.after === undefined ? startedAt : [...startedAt, input.after]);
  // What the workflow needs to know about this window, however the batch ends.
  let kept: Pick<BatchEnd, 'keepWhole' | 'note'> = {};
  let after = input.after ?? window.behind;
  let emptyPages = 0;
  try {
    for (;;) {
      // A window of unknown length goes first: everything that follows has to wait until it ends.
      const work = window.pages === undefined ? Number.MAX_SAFE_INTEGER : window.pages - figures.pages;
      const own = { work, ...(writer.rows > 0 && { waitSignal: batch.waitSignal }) };
      const reader = { client, table, call: call(own) };
      const page = await readLines(reader, window, after, rows, writer.rows);
      await writer.add(page.lines);
      figures.pages += 1;
      if (page.note !== undefined) kept = { ...kept, note: page.note };
      if (page.after === undefined || page.lines.found === true) {
        return { next: { kind: 'done', ...defined({ total: page.total }) }, ...kept };
      }
      emptyPages = page.lines.count > 0 ? 0 : emptyPages + 1;
      if (emptyPages === mostEmptyPages) throw endless(table);
      if (seen.has(page.after)) return { next: { kind: 'reopen', reason: 'a cursor came a second time' } };
      seen.add(page.after);
      after = page.after;
      if (figures.pages === window.cutAfter) {
        const split = await splitOrKept(reader, input, { after, ...edgeTimes(page.lines, 'created_at') });
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
  place: Place,
): Promise<{ readonly windows: readonly NewWindow[] } | Pick<BatchEnd, 'keepWhole' | 'note'>> {
  // A window is cut by time, so the page needs a time at both ends.
  if (!Number.isFinite(place.first) || !Number.isFinite(place.last)) return {};
  const { windows, refused } = await splitWindow(reader, window, place, now ?? Date.now());
  if (windows.length > 0) return { windows };
  const note = refused && `Read in one window: the endpoint refused its filter (${refused.message})`;
  return { keepWhole: true, ...defined({ note }) };
}

function endless({ path }: Table): UnexpectedResponseError {
  return new UnexpectedResponseError(
    `GET ${path}: ${mostEmptyPages} pages in a row without a record, and each names another one`,
  );
}

function isFull({ input, writer, began, stopping }: Batch): boolean {
  const { batchRows, batchMs } = input.run.limits;
  const isTime = writer.rows > 0 && Date.now() - began >= batchMs;
  return isTime || writer.rows >= batchRows || writer.bytes >= batchBytes || stopping();
}

/**
 * Where the window continues after an error. Throws the error if it will not pass by itself, or if no row was read:
 * then the attempt fails.
 */
function nextAfter(
  error: unknown,
  { input, writer, figures, stopping }: Batch,
  after: string | undefined,
): Extracted['next'] {
  if (error instanceof CursorRejectedError) {
    const { behind, until: _until, id: _id, ...list } = input.window;
    // The row that the window begins after is gone, so its start is unknown. Reading the list from the start covers it.
    if (behind !== undefined && behind === after) return { kind: 'split', windows: [list] };
    return { kind: 'reopen', reason: error.message };
  }
  const isPassing = error instanceof TimeUp || (error instanceof SourceError && error.retry === 'later');
  const canContinue = (isPassing && writer.rows > 0) || (stopping() && figures.pages > 0);
  if (!canContinue || after === undefined) throw error;
  return { kind: 'more', after };
}
