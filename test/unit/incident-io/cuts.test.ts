import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cutsBetween, rowsBefore, type Slice } from '../../../src/incident-io/cuts.ts';
import type { TimestampFilter } from '../../../src/tables/table.ts';

const dayMs = 86_400_000;
const filter: TimestampFilter = { granularity: 'millisecond', verified: true };
const byDay: TimestampFilter = { granularity: 'day', verified: true };
const range = { from: Date.parse('2025-01-01T00:00:00Z'), to: Date.parse('2025-03-22T00:00:00Z') };

/** Slices whose first rows are named after their numbers. */
function slices(...rows: number[]): Slice[] {
  return rows.map((count, index) => (count > 0 ? { rows: count, first: `row-${index}` } : { rows: 0 }));
}

/** The rows between each two cuts. */
function sharesOf(of: readonly Slice[], shares: number): number[] {
  const ends = [...cutsBetween(of, range, filter, shares, false).map(({ at }) => at), range.to];
  return ends.map(
    (end, index) => rowsBefore(of, range, end) - rowsBefore(of, range, ends[index - 1] ?? range.from),
  );
}

it('asks for no row if the slices are the shares', () => {
  const even = slices(100, 100, 100, 100, 100, 100, 100, 80);
  expect(cutsBetween(even, range, filter, 8, false).map(({ id }) => id)).toEqual(
    [1, 2, 3, 4, 5, 6, 7].map((index) => `row-${index}`),
  );
  // The newest row of a slice is at the start of the next one.
  expect(cutsBetween(even, range, filter, 8, true).map(({ id }) => id)).toEqual(
    [0, 1, 2, 3, 4, 5, 6].map((index) => `row-${index}`),
  );
});

it('asks only for the rows within slices if there are more shares', () => {
  const cuts = cutsBetween(slices(100, 100, 100, 100), range, filter, 8, false);
  expect(cuts.map(({ id }) => id)).toEqual([
    undefined,
    'row-1',
    undefined,
    'row-2',
    undefined,
    'row-3',
    undefined,
  ]);
});

it('cuts a storm in one slice, and leaves the quiet ones in one piece', () => {
  expect(sharesOf(slices(1, 0, 1, 800, 2, 0, 0, 0), 8)).toEqual([102, 100, 100, 100, 100, 100, 100, 102]);
});

it('makes no share empty or much larger than the others, whatever the slices hold', () => {
  const rows = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(rows, fc.integer({ min: 2, max: 16 }), (rows, shares) => {
      fc.pre(rows.some((count) => count > 0));
      const total = rows.reduce((sum, count) => sum + count, 0);
      const found = sharesOf(slices(...rows), shares);
      expect(found.reduce((sum, count) => sum + count, 0)).toBeCloseTo(total, 0);
      expect(found.length).toBe(shares);
      expect(Math.max(...found)).toBeLessThanOrEqual((2.5 * total) / shares + 1);
    }),
  );
});

it('cuts at whole days if the filter takes only days, and never twice at the same', () => {
  const cuts = cutsBetween(slices(0, 0, 0, 9_000, 0, 0, 0, 0), range, byDay, 16, false);
  expect(cuts.every(({ at }) => at % dayMs === 0)).toBe(true);
  expect(new Set(cuts.map(({ at }) => at)).size).toBe(cuts.length);
  const short = { from: range.from, to: range.from + dayMs / 2 };
  expect(cutsBetween(slices(9_000, 9_000), short, byDay, 16, false)).toEqual([]);
});
