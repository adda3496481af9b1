import { FilterRejectedError, SourceError, UsageError } from '../errors.ts';
import type { Table, TimestampField, TimestampFilter } from '../tables/table.ts';
import type { Call, Client, Param } from './client.ts';
import { type Page, readPage } from './pages.ts';

/**
 * A slice of a run that is paged on its own. Its parameters are fixed when it is opened: an `after` that met
 * another filter could skip rows.
 */
export type Window = {
  readonly id: number;
  /** Everything a request sends but `page_size` and `after`. */
  readonly params: readonly Param[];
  /** The value of the table's pass. */
  readonly pass?: string;
  /** A guess at the pages it still holds: only for whose turn is first. */
  readonly pages?: number;
  /** Pages after which it has turned out dense and is cut into more; without it the window stays whole. */
  readonly cutAfter?: number;
  /** Its `created_at`, milliseconds since the epoch, where it is a slice of a table; an end left out is open. */
  readonly from?: number;
  readonly to?: number;
};

const dayMs = 86_400_000;

/** The vendor stamps a row before it commits it, so rows appear behind those already seen. */
const overlapMs = 5 * 60_000;

/** The filter that asks for what changed from the watermark on, with no end. */
export function sinceFilter(table: Table, field: TimestampField, watermark: number): Param {
  const filter = table.filters?.[field];
  if (!filter)
    throw new UsageError(
      `${table.name} cannot be filtered by ${field}.`,
      'Choose another incremental field.',
    );
  const from = watermark - overlapMs;
  // The zone of bare dates is unknown, so a whole day more.
  return [`${field}[gte]`, stamp(filter, filter.granularity === 'day' ? from - dayMs : from)];
}

/** The windows a run begins with: one, or one a pass. */
export function openWindows(table: Table, reveals: readonly Param[], since: Param | undefined): Window[] {
  const base: Param[] = [...Object.entries(table.query ?? {}), ...reveals, ...(since ? [since] : [])];
  if (table.passes) {
    const { param, values } = table.passes;
    return values.map((pass, id) => ({ id, params: [...base, [param, pass]], pass }));
  }
  const cut = table.splitBy !== undefined && since === undefined;
  return [{ id: 0, params: base, ...(cut && { cutAfter: pagesBeforeCut }) }];
}

/** So many pages in, a table is worth cutting: one of fewer costs nothing more than its pages. */
const pagesBeforeCut = 10;
/**
 * At most so many windows at the first cut: twice those that are read side by side, so that all of them are busy until
 * the end. More would only cost requests at their edges.
 */
const mostWindows = 16;
/** A dense window is cut into as many as are read side by side. */
const mostWindowsAgain = 8;
/** A window of fewer pages is not worth its own first and last request. */
const pagesWorthAWindow = 20;
/** Slices whose first page tells how dense the rows lie there. */
const samples = 8;

/** A window that is to be opened: the run gives it an id. */
export type NewWindow = Omit<Window, 'id'>;

export type Split = {
  /** Windows that together cover the one that was split; none where the rows are too few or the filter is refused. */
  readonly windows: readonly NewWindow[];
  /** Set where the endpoint refused the filter. */
  readonly refused?: FilterRejectedError;
};

/**
 * Cuts a window by `created_at`, which never changes, so that it can be read side by side. No endpoint says how many
 * rows there are, so their density is guessed from the first pages of a few equal slices; a bad guess costs balance,
 * never rows: the new windows cover all of the old one, whose ends may be open, and a dense one is cut again.
 *
 * @param now the API's time, milliseconds since the epoch.
 */
export async function splitWindow(
  client: Client,
  table: Table,
  window: Window,
  now: number,
  call: Call,
): Promise<Split> {
  const filter = table.splitBy && table.filters?.[table.splitBy];
  if (!filter || table.paging.kind === 'single') return { windows: [] };
  const { pageSize } = table.paging;
  const { id: _id, params, pages: _pages, cutAfter: _cutAfter, from, to, ...kept } = window;
  const whole = { ...kept, params: params.filter(([name]) => !name.startsWith('created_at[')) };
  const most = from === undefined && to === undefined ? mostWindows : mostWindowsAgain;
  try {
    const low = from ?? (await oldest(client, table, whole, filter, to ?? now, call));
    // The newest window has no end; what is newer than this run is a few rows.
    const high = to ?? Math.max(now, low + 1);
    const rows = await densities(client, table, whole, filter, low, high, call);
    const { cuts, rowsEach } = boundsOf(rows, low, high, filter, Math.min(most, worth(rows, pageSize)));
    if (cuts.length === 0) return { windows: [] };
    const edges = [from, ...cuts, to];
    const pages = Math.ceil(rowsEach / pageSize);
    const windows = edges.slice(1).map((end, index) => ({
      ...whole,
      params: [...whole.params, between(filter, edges[index], end)],
      pages,
      cutAfter: 2 * pages + pagesBeforeCut,
      ...(edges[index] !== undefined && { from: edges[index] }),
      ...(end !== undefined && { to: end }),
    }));
    return { windows };
  } catch (error) {
    if (error instanceof FilterRejectedError) return { windows: [], refused: error };
    throw error;
  }
}

/** How many windows so many rows are worth. */
function worth(rows: readonly number[], pageSize: number): number {
  return Math.floor(rows.reduce((sum, n) => sum + n, 0) / pageSize / pagesWorthAWindow);
}

/** A time before which nothing was created, seen from another one and to a factor of four. */
async function oldest(
  client: Client,
  table: Table,
  whole: Pick<Window, 'params'>,
  filter: TimestampFilter,
  seenFrom: number,
  call: Call,
): Promise<number> {
  for (let days = 30; days < 20_000; days *= 4) {
    const from = seenFrom - days * dayMs;
    const older = { params: [...whole.params, between(filter, undefined, from)] };
    const page = await guess(readPage(client, table, older, undefined, { ...call, pageSize: 1 }));
    if (!(page instanceof SourceError) && page.records.length === 0 && page.after === undefined) return from;
  }
  return seenFrom - 20_000 * dayMs;
}

/** Rows in each of a few equal slices, guessed from the span of time their first page covers. */
async function densities(
  client: Client,
  table: Table,
  whole: Pick<Window, 'params'>,
  filter: TimestampFilter,
  from: number,
  to: number,
  call: Call,
): Promise<number[]> {
  const length = (to - from) / samples;
  const found = await Promise.all(
    Array.from({ length: samples }, async (_, index) => {
      const slice = between(filter, from + index * length, from + (index + 1) * length);
      const page = await guess(
        readPage(client, table, { params: [...whole.params, slice] }, undefined, call),
      );
      if (page instanceof SourceError) return page;
      const { records, after } = page;
      if (after === undefined) return records.length;
      const times = records.map((record) => Date.parse(String(record['created_at']))).filter(Number.isFinite);
      const span = Math.max(...times) - Math.min(...times);
      return times.length < 2 || span <= 0 ? records.length * 2 : Math.max(1, length / span) * records.length;
    }),
  );
  const known = found.filter((rows) => typeof rows === 'number');
  if (known.length === 0) throw found[0] as SourceError;
  const mean = known.reduce((sum, rows) => sum + rows, 0) / known.length;
  return found.map((rows) => (typeof rows === 'number' ? rows : mean));
}

/** A page that only a guess is made from, or the fault it met, if that passes by itself: the guess does without. */
async function guess(page: Promise<Page>): Promise<Page | SourceError> {
  try {
    return await page;
  } catch (error) {
    if (error instanceof SourceError && error.retry === 'later') return error;
    throw error;
  }
}

/** Times that cut the rows into equal shares, were they spread evenly within each slice; none below two shares. */
function boundsOf(
  rows: readonly number[],
  from: number,
  to: number,
  filter: TimestampFilter,
  shares: number,
): { cuts: number[]; rowsEach: number } {
  const total = rows.reduce((sum, n) => sum + n, 0);
  const unit = filter.granularity === 'day' ? dayMs : 1;
  const length = (to - from) / rows.length;
  const cuts = new Set<number>();
  for (let cut = 1; cut < shares; cut += 1) {
    let left = (total * cut) / shares;
    let slice = 0;
    while (left > rows[slice]!) left -= rows[slice++]!;
    const at = Math.floor((from + (slice + left / rows[slice]!) * length) / unit) * unit;
    // A cut at an end would leave one window as it was, for ever.
    if (at > from && at < to) cuts.add(at);
  }
  return { cuts: [...cuts].sort((a, b) => a - b), rowsEach: total / (cuts.size + 1) };
}

/**
 * The filter from one time to another; `undefined` is an open end. Whether `created_at` includes its bounds is
 * not verified anywhere, so neighbours overlap by one unit; the key removes what comes twice.
 */
function between(filter: TimestampFilter, from: number | undefined, to: number | undefined): Param {
  const unit = filter.verified ? 0 : filter.granularity === 'day' ? dayMs : 1;
  if (to === undefined) return ['created_at[gte]', stamp(filter, from!)];
  // A bare date as `lte` is that day's first moment (vendor's example), hence a day more.
  if (from === undefined) return ['created_at[lte]', stamp(filter, to + Math.max(unit, 1))];
  return ['created_at[date_range]', `${stamp(filter, from)}~${stamp(filter, to + unit)}`];
}

function stamp(filter: TimestampFilter, at: number): string {
  const iso = new Date(Math.floor(at)).toISOString();
  return filter.granularity === 'day' ? iso.slice(0, 10) : iso;
}
