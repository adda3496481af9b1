import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DayRange, differingDays, type RowsPerDay } from '../../../src/incident-io/differing-days.ts';

const today = 20_000;

/** An endpoint that counts rows created on these days, and what it was asked. */
function endpoint(rows: readonly number[]) {
  const asked: DayRange[] = [];
  const countOf = (range: DayRange) => {
    asked.push(range);
    return Promise.resolve(rows.filter((day) => day >= range.first && day <= range.last).length);
  };
  return { asked, countOf };
}

function perDay(days: readonly number[]): RowsPerDay {
  const rows = new Map<number, number>();
  for (const day of days) rows.set(day, (rows.get(day) ?? 0) + 1);
  return rows;
}

const days = fc.array(fc.integer({ min: today - 400, max: today }), { maxLength: 200 });

describe('the days on which the endpoint’s count differs from the table’s', () => {
  it('are all found and no others, whether rows were deleted or are missing', async () => {
    await fc.assert(
      fc.asyncProperty(days, days, async (common, other) => {
        const gone = other.slice(0, other.length / 2);
        const missing = other.slice(other.length / 2);
        // Rows from before the oldest known one are a case of their own, below.
        const [held, there] = [
          [today - 400, ...common, ...gone],
          [today - 400, ...common, ...missing],
        ];
        const { countOf } = endpoint(there);
        const comparison = { heldUndated: 0, total: there.length, today, maxRequests: Infinity };
        const found = await differingDays({ ...comparison, held: perDay(held), countOf });
        const differ = [...new Set(other)].filter(
          (day) => (perDay(held).get(day) ?? 0) !== (perDay(there).get(day) ?? 0),
        );
        expect(found.status).toBe('found');
        const days = 'days' in found ? found.days : [];
        // Within a range, a deleted and a missing row cancel each other out, and a count cannot show them.
        const mayCancelOut = gone.length > 0 && missing.length > 0;
        const expected = differ.sort((a, b) => a - b).filter((day) => !mayCancelOut || days.includes(day));
        expect(days).toEqual(expected);
      }),
    );
  });

  it('take about a dozen requests for one deleted row among three years', async () => {
    const there = Array.from({ length: 3_000 }, (_, row) => today - (row % 1_000));
    const { asked, countOf } = endpoint(there);
    const held = perDay([...there, today - 777]);
    const found = await differingDays({
      held,
      heldUndated: 0,
      total: 3_000,
      today,
      countOf,
      maxRequests: 60,
    });
    expect(found).toEqual({ status: 'found', days: [today - 777] });
    expect(asked.length).toBeLessThanOrEqual(13);
  });

  it('are not determined if too many differ, within the requests allowed', async () => {
    const there = Array.from({ length: 500 }, (_, row) => today - row);
    const { asked, countOf } = endpoint(there.filter((day) => day % 2 === 0));
    const found = await differingDays({
      held: perDay(there),
      heldUndated: 0,
      total: 250,
      today,
      countOf,
      maxRequests: 60,
    });
    expect(found).toMatchObject({ status: 'unknown' });
    expect(asked.length).toBeLessThanOrEqual(60);
  });

  it.each([
    ['no counts', () => Promise.resolve(undefined)],
    ['a filter that shuts out the last day', ({ first, last }: DayRange) => Promise.resolve(last - first)],
    ['a filter that is ignored', () => Promise.resolve(11)],
  ])('are not told by %s', async (_, countOf) => {
    const held = perDay(Array.from({ length: 12 }, (_, row) => today - row));
    const found = await differingDays({ held, heldUndated: 0, total: 11, today, countOf, maxRequests: 60 });
    expect(found).toMatchObject({ status: 'unknown' });
  });

  it('are not determined if the differing rows have no time of creation, or are older than all known ones', async () => {
    const there = [today, today - 1];
    const { countOf } = endpoint(there);
    const comparison = { held: perDay(there), total: 2, today, countOf, maxRequests: 60 };
    expect(await differingDays({ ...comparison, heldUndated: 1 })).toMatchObject({ status: 'unknown' });
    const newer = { ...comparison, held: perDay([today]), heldUndated: 0 };
    expect(await differingDays(newer)).toMatchObject({ status: 'unknown' });
  });

  it('are determined even though rows are created during the count', async () => {
    const there = [today - 5, today - 4, today - 3, today - 2];
    const held = perDay([...there, today - 4]);
    const countOf = ({ first, last }: DayRange) => {
      there.push(today);
      return Promise.resolve(there.filter((day) => day >= first && day <= last).length);
    };
    // One row was created between the count of all and that of the whole range.
    const found = await differingDays({ held, heldUndated: 0, total: 5, today, countOf, maxRequests: 60 });
    expect(found).toMatchObject({ status: 'found', days: expect.arrayContaining([today - 4]) as number[] });
  });
});
