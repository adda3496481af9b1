import { defined } from '../defined.ts';
import { FilterRejectedError, SourceError } from '../errors.ts';
import type { TimestampFilter } from '../tables/table.ts';
import type { Param } from './client.ts';
import { type Cut, cutsBetween, type Range, rowsBefore, rowsOf, type Slice } from './cuts.ts';
import { type Reader, readPage, type Slice as List } from './pages.ts';
import { dayMs, type NewWindow, pagesBeforeCut, timeParam, type Window } from './windows.ts';

/**
 * The most windows of the first cut: twice those that are read side by side, so that all of them are busy until the
 * end. More would only cost requests at their edges.
 */
const mostWindows = 16;
/**
 * A list that is not worth that many, and a dense window, are cut into as many windows as are read at the same time: a
 * few more would take as long as twice as many.
 */
const windowsAtOnce = 8;
/** A window of fewer pages is not worth its own first and last request. */
const pagesWorthAWindow = 20;
/** Slices whose first page shows how dense the rows are there. */
const samples = 8;

export type Split = {
  /** Windows that together cover what is left of the one that was split; none if it is not worth it or not possible. */
  readonly windows: readonly NewWindow[];
  /** Set if the endpoint refused the filter. */
  readonly refused?: FilterRejectedError;
};

/** Where a window is after a page. */
export type Place = {
  /** The cursor of its next page. */
  readonly after: string;
  /** `created_at` of the first and the last row of the page, milliseconds since the epoch. */
  readonly first: number;
  readonly last: number;
};

/**
 * Cuts what is left of a window into pieces that can be read side by side. Each piece begins after a row of the list
 * itself and ends when it meets a row that another one begins after. So together they are the whole list, in whatever
 * order the API keeps it, including rows that no filter by time would match. The filter by `created_at` only finds the
 * rows at which to cut. Endpoints do not say how many rows a stretch of time has, so their density is estimated from
 * the first pages of a few equal slices. A bad estimate makes pieces unequal but loses no rows, and a dense piece is
 * cut again.
 *
 * @param place where the window is: what it has read is not read again.
 * @param now the API's time, milliseconds since the epoch.
 */
export async function splitWindow(reader: Reader, window: Window, place: Place, now: number): Promise<Split> {
  const { filters, splitBy, paging } = reader.table;
  const filter = splitBy && filters?.[splitBy];
  if (!filter || paging.kind === 'single') return { windows: [] };
  const { id: _id, pages: _pages, cutAfter: _cutAfter, from, to, until = [], ...list } = window;
  const { after, first, last } = place;
  const most = from === undefined && to === undefined ? mostWindows : windowsAtOnce;
  const newestFirst = first >= last;
  try {
    const high = newestFirst ? last : (to ?? now);
    const low = newestFirst ? (from ?? (await timeBeforeOldest(reader, list, filter, high))) : last;
    const range = { from: low, to: Math.max(high, low + 1) };
    const slices = await sampled(reader, list, filter, range);
    const shares = windowsWorth(rowsOf(slices) / paging.pageSize, most);
    const cuts = cutsBetween(slices, range, filter, shares, newestFirst);
    const found = await rowsAt(reader, list, filter, cuts, range, newestFirst);
    const starts = found.filter(({ id }) => id !== after && !until.includes(id));
    if (starts.length === 0) return { windows: [] };
    const ends = [...until, ...starts.map(({ id }) => id)];
    const piece = (behind: string, { from, to }: { from: number | undefined; to: number | undefined }) => {
      const before = (at: number) => rowsBefore(slices, range, at);
      const rows = before(to ?? range.to) - before(from ?? range.from);
      const pages = Math.ceil(rows / paging.pageSize);
      return {
        ...list,
        ...defined({ from, to }),
        behind,
        until: ends.filter((id) => id !== behind),
        pages,
        cutAfter: 2 * pages + pagesBeforeCut,
      };
    };
    const times = starts.map(({ at }) => at);
    const edges = newestFirst ? [to, ...times.toReversed(), from] : [from, ...times, to];
    const behind = [after, ...(newestFirst ? starts.toReversed() : starts).map(({ id }) => id)];
    const windows = behind.map((id, index) => {
      const [start, end] = [edges[index], edges[index + 1]];
      return piece(id, newestFirst ? { from: end, to: start } : { from: start, to: end });
    });
    return { windows };
  } catch (error) {
    if (error instanceof FilterRejectedError) return { windows: [], refused: error };
    throw error;
  }
}

/** The first row of the list on the far side of each cut, oldest first; none if there is no row. */
async function rowsAt(
  reader: Reader,
  list: List,
  filter: TimestampFilter,
  cuts: readonly Cut[],
  { from, to }: Range,
  newestFirst: boolean,
): Promise<readonly { readonly id: string; readonly at: number }[]> {
  const found = await Promise.all(
    cuts.map(async ({ at, id: known }) => {
      if (known !== undefined) return [{ id: known, at }];
      const slice = newestFirst ? between(filter, from, at) : between(filter, at, to);
      const page = await unlessPassing(
        readPage(reader, { ...list, params: [...list.params, slice] }, undefined, 1),
      );
      const id = page instanceof SourceError ? undefined : page.records[0]?.['id'];
      return typeof id === 'string' ? [{ id, at }] : [];
    }),
  );
  const rows = found.flat();
  return rows.filter(({ id }, index) => rows.findIndex((row) => row.id === id) === index);
}

/** How many windows these pages are worth. */
function windowsWorth(pages: number, most: number): number {
  const worth = Math.floor(pages / pagesWorthAWindow);
  return worth < most ? Math.min(worth, windowsAtOnce) : most;
}

/** A time before the oldest row, found by stepping back from another time, four times as far each time. */
async function timeBeforeOldest(
  reader: Reader,
  whole: List,
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

/** A few equal slices, with their rows estimated from the span of time that their first page covers. */
async function sampled(
  reader: Reader,
  whole: List,
  filter: TimestampFilter,
  { from, to }: Range,
): Promise<readonly Slice[]> {
  const length = (to - from) / samples;
  const found = await Promise.all(
    Array.from({ length: samples }, async (_, index) => {
      const slice = between(filter, from + index * length, from + (index + 1) * length);
      const page = await unlessPassing(
        readPage(reader, { ...whole, params: [...whole.params, slice] }, undefined),
      );
      if (page instanceof SourceError) return page;
      const id = page.records[0]?.['id'];
      return { rows: rowsIn(page, length), ...(typeof id === 'string' && { first: id }) };
    }),
  );
  const known = found.filter((slice): slice is Slice => !(slice instanceof SourceError));
  if (known.length === 0) throw found[0] as SourceError;
  const mean = rowsOf(known) / known.length;
  return found.map((slice) => (slice instanceof SourceError ? { rows: mean } : slice));
}

/** Rows in a slice of this length, by its first page. */
function rowsIn({ records, after }: Awaited<ReturnType<typeof readPage>>, length: number): number {
  if (after === undefined) return records.length;
  const times = records.map((record) => Date.parse(String(record['created_at']))).filter(Number.isFinite);
  const span = Math.max(...times) - Math.min(...times);
  return times.length < 2 || span <= 0 ? records.length * 2 : Math.max(1, length / span) * records.length;
}

/** A page that only helps to place the cuts; a passing fault is returned, because splitting can do without the page. */
async function unlessPassing<Page>(page: Promise<Page>): Promise<Page | SourceError> {
  try {
    return await page;
  } catch (error) {
    if (error instanceof SourceError && error.retry === 'later') return error;
    throw error;
  }
}

/** The filter from one time to another; `undefined` is an open end. If it leaves out a row, only a cut moves. */
function between(filter: TimestampFilter, from: number | undefined, to: number): Param {
  if (from === undefined) return ['created_at[lte]', timeParam(filter, to)];
  return ['created_at[date_range]', `${timeParam(filter, from)}~${timeParam(filter, to)}`];
}
