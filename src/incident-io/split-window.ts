import { FilterRejectedError, SourceError } from '../errors.ts';
import type { TimestampFilter } from '../tables/table.ts';
import type { Param } from './client.ts';
import { type Reader, readPage, type Slice } from './pages.ts';
import { dayMs, type NewWindow, pagesBeforeCut, timeParam, type Window } from './windows.ts';

/**
 * The most windows of the first cut: twice those that are read side by side, so that all of them are busy until the
 * end. More would only cost requests at their edges.
 */
const mostWindows = 16;
/** A dense window is cut into as many as are read side by side. */
const mostWindowsAgain = 8;
/** A window of fewer pages is not worth its own first and last request. */
const pagesWorthAWindow = 20;
/** Slices whose first page shows how dense the rows are there. */
const samples = 8;

export type Split = {
  /** Windows that together cover the one that was split; none if it has too few rows or the filter is refused. */
  readonly windows: readonly NewWindow[];
  /** Set if the endpoint refused the filter. */
  readonly refused?: FilterRejectedError;
};

/** A stretch of `created_at`, milliseconds since the epoch. */
type Range = { readonly from: number; readonly to: number };

/**
 * Cuts a window by `created_at`, which never changes, so that its pieces can be read side by side. No endpoint says
 * how many rows there are, so their density is estimated from the first pages of a few equal slices. A bad estimate
 * costs balance, never rows: the new windows cover all of the old one, whose ends may be open, and a dense one is cut
 * again.
 *
 * @param now the API's time, milliseconds since the epoch.
 */
export async function splitWindow(reader: Reader, window: Window, now: number): Promise<Split> {
  const { filters, splitBy, paging } = reader.table;
  const filter = splitBy && filters?.[splitBy];
  if (!filter || paging.kind === 'single') return { windows: [] };
  const { id: _id, params, pages: _pages, cutAfter: _cutAfter, from, to, ...kept } = window;
  const whole = { ...kept, params: params.filter(([name]) => !name.startsWith('created_at[')) };
  const most = from === undefined && to === undefined ? mostWindows : mostWindowsAgain;
  try {
    const low = from ?? (await timeBeforeOldest(reader, whole, filter, to ?? now));
    // The newest window has no end; only a few rows are newer than this run.
    const range = { from: low, to: to ?? Math.max(now, low + 1) };
    const rows = await rowsPerSlice(reader, whole, filter, range);
    const shares = Math.min(most, windowsWorth(rows, paging.pageSize));
    const { cuts, rowsEach } = cutsBetween(rows, range, filter, shares);
    if (cuts.length === 0) return { windows: [] };
    const edges = [from, ...cuts, to];
    const pages = Math.ceil(rowsEach / paging.pageSize);
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

/** How many windows these rows are worth. */
function windowsWorth(rows: readonly number[], pageSize: number): number {
  return Math.floor(sumOf(rows) / pageSize / pagesWorthAWindow);
}

/** A time at which no row existed yet, found by stepping back from another time, ×4 each, until a page is empty. */
async function timeBeforeOldest(
  reader: Reader,
  whole: Slice,
  filter: TimestampFilter,
  seenFrom: number,
): Promise<number> {
  for (let days = 30; days < 20_000; days *= 4) {
    const from = seenFrom - days * dayMs;
    const older = { ...whole, params: [...whole.params, between(filter, undefined, from)] };
    const page = await unlessPassing(readPage(reader, older, undefined, 1));
    if (!(page instanceof SourceError) && page.records.length === 0 && page.after === undefined) return from;
  }
  return seenFrom - 20_000 * dayMs;
}

/** Rows in each of a few equal slices, estimated from the span of time their first page covers. */
async function rowsPerSlice(
  reader: Reader,
  whole: Slice,
  filter: TimestampFilter,
  { from, to }: Range,
): Promise<number[]> {
  const length = (to - from) / samples;
  const found = await Promise.all(
    Array.from({ length: samples }, async (_, index) => {
      const slice = between(filter, from + index * length, from + (index + 1) * length);
      const page = await unlessPassing(
        readPage(reader, { ...whole, params: [...whole.params, slice] }, undefined),
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
  const mean = sumOf(known) / known.length;
  return found.map((rows) => (typeof rows === 'number' ? rows : mean));
}

/** A page that only an estimate needs, or the fault it met if that may pass: the estimate does without the page. */
async function unlessPassing<Page>(page: Promise<Page>): Promise<Page | SourceError> {
  try {
    return await page;
  } catch (error) {
    if (error instanceof SourceError && error.retry === 'later') return error;
    throw error;
  }
}

/**
 * Times that cut the rows into equal shares if they are spread evenly within each slice. Fewer than two shares need
 * no cut.
 */
function cutsBetween(
  rows: readonly number[],
  { from, to }: Range,
  filter: TimestampFilter,
  shares: number,
): { cuts: number[]; rowsEach: number } {
  const total = sumOf(rows);
  const unit = filter.granularity === 'day' ? dayMs : 1;
  const length = (to - from) / rows.length;
  const cuts = new Set<number>();
  for (let cut = 1; cut < shares; cut += 1) {
    let left = (total * cut) / shares;
    let slice = 0;
    while (left > rows[slice]!) left -= rows[slice++]!;
    const at = Math.floor((from + (slice + left / rows[slice]!) * length) / unit) * unit;
    // A cut at an end would leave one window as it was, and it would be cut again and again.
    if (at > from && at < to) cuts.add(at);
  }
  return { cuts: [...cuts].sort((a, b) => a - b), rowsEach: total / (cuts.size + 1) };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/**
 * The filter from one time to another; `undefined` is an open end. Unless it is verified that the bounds of
 * `created_at` are included, neighbours overlap by one unit; the key removes the duplicates.
 */
function between(filter: TimestampFilter, from: number | undefined, to: number | undefined): Param {
  const unit = filter.verified ? 0 : filter.granularity === 'day' ? dayMs : 1;
  if (to === undefined) return ['created_at[gte]', timeParam(filter, from!)];
  // A bare date in `lte` means the first moment of that day (the vendor's example), hence one more day.
  if (from === undefined) return ['created_at[lte]', timeParam(filter, to + Math.max(unit, 1))];
  return ['created_at[date_range]', `${timeParam(filter, from)}~${timeParam(filter, to + unit)}`];
}
