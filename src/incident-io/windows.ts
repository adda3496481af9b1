import { FilterRejectedError } from '../errors.ts';
import type { Table, TimestampField, TimestampFilter } from '../tables/table.ts';
import type { Call, Client, Param } from './client.ts';
import { readPage } from './pages.ts';

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
  /** A guess at the pages it holds: only for whose turn is first. */
  readonly pages?: number;
  /** Covers all of a table that is read side by side, and may be replaced by windows that cover it too. */
  readonly splittable?: true;
};

const dayMs = 86_400_000;

/** The vendor stamps a row before it commits it, so rows appear behind those already seen. */
const overlapMs = 5 * 60_000;

/** The filter that asks for what changed from the watermark on, with no end. */
export function sinceFilter(field: TimestampField, filter: TimestampFilter, watermark: number): Param {
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
  const splittable = table.windows === true && since === undefined;
  return [{ id: 0, params: base, ...(splittable && { splittable }) }];
}

/** At most so many windows a table; more only cost requests at their edges. */
const mostWindows = 32;
/** A window of fewer pages is not worth its own first and last request. */
const pagesWorthAWindow = 20;
/** Slices whose first page tells how dense the rows lie there. */
const samples = 8;

export type Split = {
  /** Windows that together cover the one that was split; none where the rows are too few or the filter is refused. */
  readonly windows: readonly Window[];
  /** Set where the endpoint refused the filter. */
  readonly refused?: FilterRejectedError;
};

/**
 * Cuts a window that covers a whole table by `created_at`, which never changes, so that it can be read side by
 * side. No endpoint says how many rows there are, so their density is guessed from the first pages of a few
 * equal slices; a bad guess costs balance, never rows: the first and the last window are open-ended.
 *
 * @param firstId for the first new window; the others count on.
 * @param now the API's time, milliseconds since the epoch.
 */
export async function splitWindow(
  client: Client,
  table: Table,
  window: Window,
  firstId: number,
  now: number,
  call: Call,
): Promise<Split> {
  const filter = table.filters.created_at;
  if (!filter) return { windows: [] };
  try {
    const from = await oldest(client, table, window, filter, now, call);
    const bounds = boundsOf(
      await densities(client, table, window, filter, from, now, call),
      from,
      now,
      filter,
    );
    if (bounds.cuts.length === 0) return { windows: [] };
    const edges = [undefined, ...bounds.cuts, undefined];
    const windows = edges.slice(1).map((to, index) => ({
      id: firstId + index,
      params: [...window.params, between(filter, edges[index], to)],
      pages: bounds.pagesEach,
    }));
    return { windows };
  } catch (error) {
    if (error instanceof FilterRejectedError) return { windows: [], refused: error };
    throw error;
  }
}

/** A time before which nothing was created, to a factor of four. */
async function oldest(
  client: Client,
  table: Table,
  window: Window,
  filter: TimestampFilter,
  now: number,
  call: Call,
): Promise<number> {
  for (let days = 30; days < 20_000; days *= 4) {
    const from = now - days * dayMs;
    const older = { ...window, params: [...window.params, between(filter, undefined, from)] };
    const page = await readPage(client, table, older, undefined, { ...call, pageSize: 1 });
    if (page.records.length === 0 && page.after === undefined) return from;
  }
  return now - 20_000 * dayMs;
}

/** Rows in each of a few equal slices, guessed from the span of time their first page covers. */
async function densities(
  client: Client,
  table: Table,
  window: Window,
  filter: TimestampFilter,
  from: number,
  now: number,
  call: Call,
): Promise<number[]> {
  const length = (now - from) / samples;
  return Promise.all(
    Array.from({ length: samples }, async (_, index) => {
      const slice = between(filter, from + index * length, from + (index + 1) * length);
      const { records, after } = await readPage(
        client,
        table,
        { ...window, params: [...window.params, slice] },
        undefined,
        call,
      );
      if (after === undefined) return records.length;
      const times = records.map((record) => Date.parse(String(record['created_at']))).filter(Number.isFinite);
      const span = Math.max(...times) - Math.min(...times);
      return times.length < 2 || span <= 0 ? records.length * 2 : Math.max(1, length / span) * records.length;
    }),
  );
}

/** Times that cut the rows into equal shares, were they spread evenly within each slice. */
function boundsOf(
  rows: readonly number[],
  from: number,
  now: number,
  filter: TimestampFilter,
): { cuts: number[]; pagesEach: number } {
  const pageSize = 50;
  const total = rows.reduce((sum, n) => sum + n, 0);
  const count = Math.min(mostWindows, Math.floor(total / pageSize / pagesWorthAWindow));
  const unit = filter.granularity === 'day' ? dayMs : 1;
  const length = (now - from) / rows.length;
  const cuts = new Set<number>();
  for (let cut = 1; cut < count; cut += 1) {
    let left = (total * cut) / count;
    let slice = 0;
    while (left > rows[slice]!) left -= rows[slice++]!;
    const at = from + (slice + left / rows[slice]!) * length;
    cuts.add(Math.floor(at / unit) * unit);
  }
  return { cuts: [...cuts].sort((a, b) => a - b), pagesEach: Math.ceil(total / pageSize / (cuts.size + 1)) };
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
