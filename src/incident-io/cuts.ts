import type { TimestampFilter } from '../tables/table.ts';
import { dayMs } from './windows.ts';

/** A stretch of `created_at`, milliseconds since the epoch. */
export type Range = { readonly from: number; readonly to: number };

/** One of the equal slices of a range, as its first page shows it. */
export type Slice = {
  /** An estimate of its rows. */
  readonly rows: number;
  /** The id of the first row of that page; left out if there is none. */
  readonly first?: string;
};

/** A time at which to cut. */
export type Cut = {
  readonly at: number;
  /** The id of the row there, if the page of a slice begins with it. */
  readonly id?: string;
};

/**
 * Times that cut the rows into about equal shares, oldest first. Slices are kept whole where that is possible, because
 * the row at the edge of a slice is known, and finding any other row takes a request. So shares may differ by half.
 * Fewer than two shares need no cut.
 */
export function cutsBetween(
  slices: readonly Slice[],
  { from, to }: Range,
  { granularity }: TimestampFilter,
  shares: number,
  newestFirst: boolean,
): readonly Cut[] {
  const total = rowsOf(slices);
  const unit = granularity === 'day' ? dayMs : 1;
  const length = (to - from) / slices.length;
  const cuts = new Map<number, Cut>();
  let [begun, before] = [0, 0];
  for (const [index, { rows }] of slices.entries()) {
    before += rows;
    // All shares that begin up to here, less those of earlier slices.
    const parts = Math.round((before * shares) / total) - begun;
    for (let part = 0; part < parts; part += 1) {
      const at = Math.floor((from + (index + part / parts) * length) / unit) * unit;
      const known = part === 0 ? slices[newestFirst ? index - 1 : index]?.first : undefined;
      // The first share begins where the range begins. A cut there would leave one window as it was, and it would be
      // cut again and again.
      if (begun + part > 0 && at > from && at < to && !cuts.has(at))
        cuts.set(at, { at, ...(known !== undefined && { id: known }) });
    }
    begun += parts;
  }
  return [...cuts.values()];
}

/** The rows before a time, if they are spread evenly within each slice. */
export function rowsBefore(slices: readonly Slice[], { from, to }: Range, at: number): number {
  const place = ((at - from) / (to - from)) * slices.length;
  const whole = Math.floor(place);
  return rowsOf(slices.slice(0, whole)) + (place - whole) * (slices[whole]?.rows ?? 0);
}

/** The rows of all slices. */
export function rowsOf(slices: readonly Slice[]): number {
  return slices.reduce((sum, { rows }) => sum + rows, 0);
}
