import { defined } from '../src/defined.ts';
import type { Extracted, ExtractInput, Plan, ReadParents, WindowBatch } from '../activities/contract.ts';
import { withParents } from './parents.ts';

type Window = Plan['windows'][number];
type Part = NonNullable<Extracted['part']>;
type MissingFields = NonNullable<Extracted['missing']>;

/** A window that a run still has to read, and where its paging is. */
type OpenWindow = {
  readonly window: Window;
  readonly after?: string;
  readonly startedAt: readonly string[];
  readonly reopened: number;
};

/** What a run has read so far. Continue-as-new carries it over, so it holds plain JSON only. */
export type Reading = {
  readonly open: readonly OpenWindow[];
  readonly nextWindowId: number;
  readonly windowsDone: number;
  /** `total_record_count` on the last page of the window that was done last, if the endpoint counts. */
  readonly total?: number;
  /** In the order in which their batches ended: if two rows have the same key and `updated_at`, the later one wins. */
  readonly parts: readonly Part[];
  readonly figures: Figures;
  /** Each sentence once. */
  readonly notes: readonly string[];
  /** Fields that the vendor's reference requires but that rows lacked. */
  readonly missing?: MissingFields;
  /** Undeclared fields that were left out because their names look like those of secrets. */
  readonly withheld?: readonly string[];
  /** For a table that is read parent by parent. */
  readonly parents?: ReadParents;
};

export type Figures = {
  readonly rows: number;
  readonly pages: number;
  readonly requests: number;
  /** Size of the answers. */
  readonly bytes: number;
  /** Milliseconds spent waiting for tokens, summed over windows that are read side by side. */
  readonly waitedMs: number;
  readonly batches: number;
};

/** The number of windows of one table that are read at the same time. */
export const windowsAtOnce = 8;

/** How often a cursor may fail; the next time fails the run. */
const reopenings = 3;

/** The window's cursor has failed once too often. */
export type Exhausted = { readonly exhausted: string };

export function startReading(plan: Plan): Reading {
  return {
    open: plan.windows.map((window) => ({ window, startedAt: [], reopened: 0 })),
    nextWindowId: Math.max(-1, ...plan.windows.map(({ id }) => id)) + 1,
    windowsDone: 0,
    parts: [],
    figures: { rows: 0, pages: 0, requests: 0, bytes: 0, waitedMs: 0, batches: 0 },
    notes: plan.notes,
    ...(plan.parents && { parents: { done: 0, gone: 0, left: [], keys: [] } }),
  };
}

/** What every batch of a run takes from its plan. */
type FromPlan = Pick<ExtractInput, 'now' | 'leaveHalf' | 'parents' | 'isFirst'>;

/** The input of the next batch of an open window. */
export function batchOf(reading: Reading, windowId: number): Omit<ExtractInput, 'run' | keyof FromPlan> {
  const { window, after, startedAt } = openWindow(reading, windowId);
  return { window, startedAt, ...(after !== undefined && { after }) };
}

export function fromPlan({ now, leaveHalf, parents, plannedOn }: Plan): FromPlan {
  const isFirst = plannedOn === 'none' || undefined;
  return defined({ now, leaveHalf, parents: parents?.pick, isFirst });
}

/** The reading after a batch of a window. */
export function afterBatch(reading: Reading, windowId: number, batch: Extracted): Reading | Exhausted {
  const before = openWindow(reading, windowId);
  const { next } = batch;
  if (next.kind === 'reopen' && before.reopened >= reopenings) {
    return { exhausted: `The cursor failed ${reopenings + 1} times; the last time: ${next.reason}` };
  }
  const rest = reading.open.filter((open) => open !== before);
  const base = withBatch(reading, batch);
  // A window continues at the front: it is finished before others are started, so few cursors are open at once.
  switch (next.kind) {
    case 'done':
      return {
        ...base,
        open: rest,
        windowsDone: reading.windowsDone + 1,
        ...(next.total !== undefined && { total: next.total }),
      };
    case 'more':
      return { ...base, open: [advanced(before, next.after, batch), ...rest] };
    case 'reopen': {
      const { window, reopened } = before;
      return { ...base, open: [{ window, startedAt: [], reopened: reopened + 1 }, ...rest] };
    }
    case 'split': {
      // Several windows may be split at the same time, so their ids are assigned here.
      const opened = next.windows.map((window, index) => ({
        window: { ...window, id: reading.nextWindowId + index },
        startedAt: [],
        reopened: 0,
      }));
      return {
        ...base,
        open: [...opened, ...rest],
        nextWindowId: reading.nextWindowId + opened.length,
      };
    }
  }
}

/** The reading after the first batch of each window of a plan. */
export function readingAfter(plan: Plan, batches: readonly WindowBatch[]): Reading {
  let reading = startReading(plan);
  for (const { windowId, extracted } of batches) {
    const next = afterBatch(reading, windowId, extracted);
    if ('exhausted' in next) throw new Error(next.exhausted);
    reading = next;
  }
  return reading;
}

/** Adds a batch's part, figures and notes. */
function withBatch(reading: Reading, batch: Extracted): Reading {
  const { part, unchanged = 0, next, note, missing, withheld } = batch;
  const { figures } = reading;
  const reread = next.kind === 'reopen' ? `Read again from the start: ${next.reason}` : undefined;
  const notes = [note, reread].filter((note) => note !== undefined);
  return {
    ...reading,
    parts: part ? [...reading.parts, part] : reading.parts,
    figures: {
      rows: figures.rows + (part?.rows ?? unchanged),
      pages: figures.pages + batch.pages,
      requests: figures.requests + batch.requests,
      bytes: figures.bytes + batch.bytes,
      waitedMs: figures.waitedMs + batch.waitedMs,
      batches: figures.batches + 1,
    },
    notes: [...new Set([...reading.notes, ...notes])].slice(-maxNotes),
    ...(batch.parents && { parents: withParents(reading.parents, batch.parents) }),
    ...(missing && { missing: sumOf(reading.missing, missing) }),
    ...(withheld && { withheld: [...new Set([...(reading.withheld ?? []), ...withheld])].sort() }),
  };
}

/** Notes are for people: of a thousand faults only the last are kept. */
const maxNotes = 20;

function sumOf(before: MissingFields = {}, more: MissingFields): MissingFields {
  const sums = { ...before };
  for (const [column, { rows, first }] of Object.entries(more)) {
    const known = sums[column];
    sums[column] = known ? { ...known, rows: known.rows + rows } : { rows, first };
  }
  return sums;
}

/** One sentence per column that the reference requires but the API did not send. */
export function missingNotes({ missing = {} }: Reading): string[] {
  return Object.entries(missing).map(
    ([column, { rows, first }]) =>
      `${rows} ${rows === 1 ? 'row lacks' : 'rows lack'} ${column}, which the API's reference requires; the first is ${first}`,
  );
}

/** A sentence about undeclared fields that were left out because they may be secret or personal. */
export function withheldNotes({ withheld = [] }: Reading): string[] {
  return withheld.length === 0
    ? []
    : [
        `Left out, because they may be secret or personal, until columns.land of the settings names them: ${withheld.join(', ')}`,
      ];
}

/** The window after a batch that ended at a cursor. */
function advanced(
  { window, after, startedAt, reopened }: OpenWindow,
  next: string,
  batch: Extracted,
): OpenWindow {
  const { cutAfter, pages, ...rest } = window;
  return {
    window: {
      ...rest,
      ...(pages !== undefined && { pages: Math.max(1, pages - batch.pages) }),
      ...(cutAfter !== undefined && !batch.keepWhole && { cutAfter: leftUntilCut(cutAfter - batch.pages) }),
    },
    after: next,
    // Parents are read in order, so their batches cannot go in circles.
    startedAt: after === undefined || window.parents ? startedAt : [...startedAt, after],
    reopened,
  };
}

/** If a fault prevented the split, it is tried again some pages later. */
function leftUntilCut(pages: number): number {
  return pages > 0 ? pages : pagesUntilNextTry;
}
const pagesUntilNextTry = 10;

function openWindow(reading: Reading, windowId: number): OpenWindow {
  const open = reading.open.find(({ window }) => window.id === windowId);
  if (!open) throw new Error(`no open window ${windowId}`);
  return open;
}
