import type { Extracted, ExtractInput, Plan } from '../activities/contract.ts';

type Window = Plan['windows'][number];
type Part = NonNullable<Extracted['part']>;
type MissingFields = NonNullable<Extracted['missing']>;

/** A window a run still has to read, and where its paging stands. */
type OpenWindow = {
  readonly window: Window;
  readonly after?: string;
  readonly startedAt: readonly string[];
  readonly reopened: number;
};

/** What a run has read so far. Carried over continue-as-new, so it holds plain JSON only. */
export type Reading = {
  readonly open: readonly OpenWindow[];
  readonly nextWindowId: number;
  readonly windowsDone: number;
  /** All rows the endpoint counted when the last page of a window was read. */
  readonly total?: number;
  /** In the order their batches ended: of two rows of a key with one `updated_at` the later wins. */
  readonly parts: readonly Part[];
  readonly figures: Figures;
  /** Each sentence once. */
  readonly notes: readonly string[];
  /** Fields the vendor's reference requires and rows that were read lack. */
  readonly missing?: MissingFields;
};

export type Figures = {
  readonly rows: number;
  readonly pages: number;
  readonly requests: number;
  /** Of the answers. */
  readonly bytes: number;
  /** Milliseconds waited for tokens, summed over windows read side by side. */
  readonly waitedMs: number;
  readonly batches: number;
};

/** A cursor may fail so often; the next time fails the run. */
export const reopenings = 3;

/** The window's cursor failed once too often. */
export type Exhausted = { readonly exhausted: string };

export function startReading(plan: Plan): Reading {
  return {
    open: plan.windows.map((window) => ({ window, startedAt: [], reopened: 0 })),
    nextWindowId: Math.max(...plan.windows.map(({ id }) => id)) + 1,
    windowsDone: 0,
    parts: [],
    figures: { rows: 0, pages: 0, requests: 0, bytes: 0, waitedMs: 0, batches: 0 },
    notes: plan.notes,
  };
}

/** What the next batch of an open window is asked for. */
export function batchOf(reading: Reading, windowId: number): Omit<ExtractInput, 'run' | 'now' | 'leaveHalf'> {
  const { window, after, startedAt } = openWindow(reading, windowId);
  return { window, startedAt, ...(after !== undefined && { after }) };
}

/** The reading after a batch of a window. */
export function afterBatch(reading: Reading, windowId: number, batch: Extracted): Reading | Exhausted {
  const before = openWindow(reading, windowId);
  const { next } = batch;
  if (next.kind === 'reopen' && before.reopened >= reopenings) {
    return { exhausted: `The cursor failed ${reopenings + 1} times; the last time: ${next.reason}` };
  }
  const rest = reading.open.filter((open) => open !== before);
  const notes = [batch.note, next.kind === 'reopen' ? `Read anew from the start: ${next.reason}` : undefined];
  const base: Reading = {
    ...reading,
    parts: batch.part ? [...reading.parts, batch.part] : reading.parts,
    figures: {
      rows: reading.figures.rows + (batch.part?.rows ?? 0),
      pages: reading.figures.pages + batch.pages,
      requests: reading.figures.requests + batch.requests,
      bytes: reading.figures.bytes + batch.bytes,
      waitedMs: reading.figures.waitedMs + batch.waitedMs,
      batches: reading.figures.batches + 1,
    },
    notes: [...new Set([...reading.notes, ...notes.filter((note) => note !== undefined)])].slice(-maxNotes),
    ...(batch.missing && { missing: sumOf(reading.missing, batch.missing) }),
  };
  // A window goes on at the front: what is begun is finished first, so few cursors are open at once.
  switch (next.kind) {
    case 'done':
      return {
        ...base,
        open: rest,
        windowsDone: reading.windowsDone + 1,
        ...(next.total !== undefined && { total: next.total }),
      };
    case 'more':
      return { ...base, open: [goOn(before, next.after, batch), ...rest] };
    case 'reopen': {
      const { window, reopened } = before;
      return { ...base, open: [{ window, startedAt: [], reopened: reopened + 1 }, ...rest] };
    }
    case 'split': {
      // Several windows may be cut at once, so ids are given here.
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

function sumOf(before: MissingFields = {}, more: MissingFields): MissingFields {
  const sums = { ...before };
  for (const [column, { rows, first }] of Object.entries(more)) {
    const known = sums[column];
    sums[column] = known ? { ...known, rows: known.rows + rows } : { rows, first };
  }
  return sums;
}

/** A sentence a column: what the reference promises and the API did not send. */
export function missingNotes({ missing = {} }: Reading): string[] {
  return Object.entries(missing).map(
    ([column, { rows, first }]) =>
      `${rows} ${rows === 1 ? 'row lacks' : 'rows lack'} ${column}, which the API's reference requires; first ${first}`,
  );
}

/** Notes are for people; a thousand faults need not all be told. */
const maxNotes = 20;

function goOn(
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
    startedAt: after === undefined ? startedAt : [...startedAt, after],
    reopened,
  };
}

/** Where a fault came in between cutting, it is tried again a few pages on. */
function leftUntilCut(pages: number): number {
  return pages > 0 ? pages : pagesUntilNextTry;
}
const pagesUntilNextTry = 10;

function openWindow(reading: Reading, windowId: number): OpenWindow {
  const open = reading.open.find(({ window }) => window.id === windowId);
  if (!open) throw new Error(`no open window ${windowId}`);
  return open;
}
