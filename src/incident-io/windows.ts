import { UsageError } from '../errors.ts';
import type { Table, TimestampField, TimestampFilter } from '../tables/table.ts';
import type { Param } from './client.ts';

/**
 * A stretch of a list that is paged on its own. Its parameters are fixed when it is opened: an `after` that met
 * another filter could skip rows.
 */
export type Window = {
  readonly id: number;
  /** Everything a request sends except `page_size` and `after`. */
  readonly params: readonly Param[];
  /** The value of the table's pass. */
  readonly pass?: string;
  /** An estimate of the pages it still holds. It only decides which window goes first. */
  readonly pages?: number;
  /** After this many pages the window is dense and is cut into more; without it the window stays whole. */
  readonly cutAfter?: number;
  /** The id of the row that it begins after; if left out, it begins at the start of the list. */
  readonly behind?: string;
  /** Ids of rows that other windows begin after: it ends with the page that holds one, or at the end of the list. */
  readonly until?: readonly string[];
  /** Its estimated range of `created_at`, milliseconds since the epoch, for cutting it again; a missing end is open. */
  readonly from?: number;
  readonly to?: number;
  /** The parents whose rows it has, by a range of their keys, and how many they are. */
  readonly parents?: { readonly after?: string; readonly upTo?: string; readonly count: number };
};

/** A window before the run gives it an id. */
export type NewWindow = Omit<Window, 'id'>;

export const dayMs = 86_400_000;

/** The vendor stamps a row before it commits it, so rows can appear before those already seen. */
const overlapMs = 5 * 60_000;

/** After this many pages it is worth cutting a table: a smaller one costs no request beyond its pages. */
export const pagesBeforeCut = 10;

/** The filter for everything that changed since the watermark; it has no end. */
export function sinceFilter(table: Table, field: TimestampField, watermark: number): Param {
  const filter = table.filters?.[field];
  if (!filter)
    throw new UsageError(
      `${table.name} cannot be filtered by ${field}.`,
      'Choose another incremental field.',
    );
  const from = watermark - overlapMs;
  // The time zone of bare dates is unknown, so ask for one more day.
  return [`${field}[gte]`, timeParam(filter, filter.granularity === 'day' ? from - dayMs : from)];
}

/** The windows a run begins with: one, or one per pass. */
export function openWindows(table: Table, reveals: readonly Param[], since: Param | undefined): Window[] {
  const base: Param[] = [...Object.entries(table.query ?? {}), ...reveals, ...(since ? [since] : [])];
  if (table.passes) {
    const { param, values } = table.passes;
    return values.map((pass, id) => ({ id, params: [...base, [param, pass]], pass }));
  }
  const cut = table.splitBy !== undefined && since === undefined;
  return [{ id: 0, params: base, ...(cut && { cutAfter: pagesBeforeCut }) }];
}

/**
 * The filter for rows created on these UTC days, numbered since the epoch, both ends included. If the filter takes
 * whole days, its range includes both ends; otherwise it stops before its end.
 */
export function daysParam(table: Table, first: number, last: number): Param {
  const filter = table.filters?.created_at;
  if (!filter) throw new UsageError(`${table.name} cannot be filtered by created_at.`, 'Read it whole.');
  const end = filter.granularity === 'day' ? last : last + 1;
  return ['created_at[date_range]', `${timeParam(filter, first * dayMs)}~${timeParam(filter, end * dayMs)}`];
}

/** A time as the filter takes it. */
export function timeParam(filter: TimestampFilter, at: number): string {
  const iso = new Date(Math.floor(at)).toISOString();
  return filter.granularity === 'day' ? iso.slice(0, 10) : iso;
}
