import { defined } from '../src/defined.ts';
import { CursorRejectedError, DestinationError, RateLimitedError, SourceError } from '../src/errors.ts';
import type { Call } from '../src/incident-io/client.ts';
import { AnswerRows } from '../src/records/answer-rows.ts';
import { spanned } from '../src/spans.ts';
import { asChild, type ChildTable, parentColumns, parentKeyOf } from '../src/tables/parents.ts';
import type { Table } from '../src/tables/table.ts';
import type { KeyWriter, PartWriter } from '../src/warehouse/part.ts';
import type { ParentRow } from '../src/warehouse/committed-rows.ts';
import { cursorOf, cursorText } from './child-cursor.ts';
import { ChildrenReader, type ParentEnd } from './children-reader.ts';
import type { ExtractInput, Extracted } from './contract.ts';
import { batchBytes, type BatchWorld, callOf, type Figures, TimeUp } from './extract-batch.ts';

/** A batch ends after this many parents, so that a worker that dies loses little of what was read. */
const parentsPerBatch = 100;
/** If this many parents fail in a row, the cause is not the parents themselves. */
const outageAfter = 3;
/** How often a parent that failed is tried again at the end of its batch. */
const furtherTries = 2;
/** If the API knows none of a batch's parents, and they are at least this many, the account does not have the list. */
const allGone = 10;

/** What a batch of children needs from the outside. */
export type ChildrenWorld = BatchWorld & { readonly parent: Table };

type Failed = {
  readonly parent: ParentRow;
  /** Where in the parent's list the batch began. */
  readonly from: string | undefined;
  /** Where the batch continues if this parent and all that follow are read again. */
  readonly before: string | undefined;
  readonly error: SourceError;
};

type Batch = Omit<ChildrenWorld, 'table'> & {
  readonly table: ChildTable;
  readonly input: ExtractInput;
  readonly reader: ChildrenReader;
  readonly writer: PartWriter;
  readonly keys: KeyWriter;
  readonly call: (own: Pick<Call, 'work' | 'waitSignal'>) => Call;
  readonly waitSignal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly began: number;
  /** Parents that were read to their end; `gone` of them the API does not know. */
  done: number;
  gone: number;
  failed: Failed[];
  readonly notes: Set<string>;
};

/**
 * Reads the children of one range of parents, parent by parent, and stages their rows and the keys of the parents that
 * were read to their end. A parent that keeps failing although others do not is left to the next run.
 */
export async function extractChildren(input: ExtractInput, world: ChildrenWorld): Promise<Extracted> {
  const { run, window } = input;
  const { parent, warehouse, clients, attempt } = world;
  const table = asChild(world.table);
  if (!table) throw new TypeError(`${world.table.name} is not read parent by parent`);
  const figures: Figures = { pages: 0, requests: 0, bytes: 0, waitedMs: 0 };
  const call = callOf(input, attempt, figures);
  const client = await clients.clientOf(run);
  await clients.assertAccount(run, call({}));
  const rows = new AnswerRows(table, await clients.rulesOf(run));
  const writer = await warehouse.createPart(table, run.chainId);
  const keys = await warehouse.createKeys(table, [parentKeyOf(table, parent).by], run.chainId);
  const reader = new ChildrenReader({ table, client }, rows, window.params, () => (figures.pages += 1));
  const timeUp = new AbortController();
  const timer = setTimeout(() => timeUp.abort(new TimeUp()), run.limits.batchMs);
  const [began, waitSignal] = [Date.now(), timeUp.signal];
  const start = { done: 0, gone: 0, failed: [], notes: new Set<string>() };
  const batch: Batch = { ...world, table, ...start, input, reader, writer, keys, call, waitSignal, began };
  try {
    const next = await readParents(batch);
    const part = await spanned('stage', { 'incident_io.rows': writer.rows }, () => writer.finish());
    const staged = await keys.finish();
    const { done, gone, failed, notes } = batch;
    const missing = Object.keys(rows.missing).length > 0 ? rows.missing : undefined;
    const withheld = rows.withheld.length > 0 ? rows.withheld : undefined;
    const note = notes.size > 0 ? [...notes].join(' · ') : undefined;
    const left = failed.map((one) => one.parent.key);
    return {
      ...figures,
      next,
      parents: { done, gone, left, ...defined({ keys: staged }) },
      ...defined({ part, missing, withheld, note }),
    };
  } catch (error) {
    await writer.abort();
    await keys.abort();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

type Next = Extract<Extracted['next'], { kind: 'done' | 'more' }>;

async function readParents(batch: Batch): Promise<Next> {
  const { input } = batch;
  const parents = await nextParents(batch);
  const start = input.after === undefined ? undefined : cursorOf(input.after);
  let place = input.after;
  let inARow = 0;
  let handled = 0;
  for (const parent of parents.slice(0, parentsPerBatch)) {
    if (isFull(batch)) break;
    const from = parent.key === start?.parent ? start.after : undefined;
    try {
      const end = await readOne(batch, parent, from, parents.length - handled);
      place = cursorText({ parent: parent.key, ...defined({ after: end.after }) });
      if (end.after !== undefined) return { kind: 'more', after: place };
      inARow = 0;
    } catch (error) {
      if (!isOfOneParent(error)) return stoppedBy(batch, error, place);
      batch.failed.push({ parent, from, before: place, error });
      inARow += 1;
      if (inARow === outageAfter) {
        const [first] = batch.failed.splice(-outageAfter);
        return stoppedBy(batch, error, first!.before);
      }
      place = cursorText({ parent: parent.key });
    }
    handled += 1;
  }
  await tryAgain(batch);
  return handled < parents.length && place !== undefined ? { kind: 'more', after: place } : { kind: 'done' };
}

/** The parents that the batch begins with, and one more if there are more. */
async function nextParents({ input, table, parent, warehouse }: Batch): Promise<readonly ParentRow[]> {
  const { window, after, parents: pick } = input;
  if (!pick || !window.parents) throw new TypeError(`${table.name}: no parents are picked`);
  const start = after === undefined ? undefined : cursorOf(after);
  const { upTo } = window.parents;
  const range =
    start === undefined
      ? window.parents
      : {
          ...(start.after === undefined ? { after: start.parent } : { from: start.parent }),
          ...defined({ upTo }),
        };
  const what = { columns: parentColumns(table.parent), limit: parentsPerBatch + 1 };
  const found = await warehouse.parentsIn(parent, pick, range, what);
  if (found) return found;
  throw new DestinationError(
    `${table.name}: version ${pick.version} of ${parent.name}, which the run goes by, is gone.`,
    'Sync the table again.',
  );
}

/** Reads one parent and stages its rows. */
async function readOne(
  batch: Batch,
  parent: ParentRow,
  from: string | undefined,
  work: number,
): Promise<ParentEnd> {
  const { reader, writer, keys, call, waitSignal } = batch;
  const own = { work, ...(batch.done > 0 && { waitSignal }) };
  const end = await reader.read(parent, from, call(own), (rows, bytes) => isEnough(batch, rows, bytes));
  for (const lines of end.lines) await writer.add(lines);
  if (end.note !== undefined) batch.notes.add(end.note);
  if (end.after !== undefined) return end;
  await keys.add([[parent.key]]);
  batch.done += 1;
  if (end.gone) batch.gone += 1;
  if (end.gone && batch.gone === batch.done && batch.gone >= allGone) throw end.gone;
  return end;
}

/** Tries the failed parents once more. Those that still fail do so although others succeed. */
async function tryAgain(batch: Batch): Promise<void> {
  for (let tries = 0; tries < furtherTries && batch.failed.length > 0; tries += 1) {
    const failed = batch.failed;
    batch.failed = [];
    for (const one of failed) {
      try {
        const end = await readOne(batch, one.parent, one.from, 1);
        // Too large for the rest of the batch.
        if (end.after !== undefined) batch.failed.push({ ...one, from: end.after });
      } catch (error) {
        if (!isOfOneParent(error)) throw error;
        batch.failed.push({ ...one, error });
      }
    }
  }
  const { table } = batch;
  for (const { parent, error } of batch.failed) {
    batch.notes.add(`${table.parent.table} ${parent.key} is left to the next run: ${error.message}`);
  }
}

/** An error that may concern one parent alone. */
function isOfOneParent(error: unknown): error is SourceError {
  if (error instanceof CursorRejectedError) return true;
  return error instanceof SourceError && error.retry === 'later' && !(error instanceof RateLimitedError);
}

/** Keeps the rows read so far, unless there are none or the error will not pass by itself. */
function stoppedBy(batch: Batch, error: unknown, place: string | undefined): Next {
  const isPassing = error instanceof TimeUp || (error instanceof SourceError && error.retry === 'later');
  const canContinue = batch.done > 0 && (isPassing || batch.stopping());
  if (!canContinue || place === undefined) throw error;
  if (error instanceof SourceError) batch.notes.add(error.message);
  return { kind: 'more', after: place };
}

function isFull(batch: Batch): boolean {
  return batch.done > 0 && isEnough(batch, 0, 0);
}

/** Whether the batch ends now, given what has been read of the current parent. */
function isEnough({ input, writer, began, stopping }: Batch, rows: number, bytes: number): boolean {
  const { batchRows, batchMs } = input.run.limits;
  const isTime = Date.now() - began >= batchMs;
  return isTime || writer.rows + rows >= batchRows || writer.bytes + bytes >= batchBytes || stopping();
}
