/** Rows per UTC day of their creation, by the day's number since the epoch. */
export type RowsPerDay = ReadonlyMap<number, number>;

/** UTC days by their number since the epoch, both ends included. */
export type DayRange = { readonly first: number; readonly last: number };

/** The two sides of the comparison: the rows that the table holds, and those that the endpoint counts. */
export type Comparison = {
  readonly held: RowsPerDay;
  /** Rows of the table without a readable time of creation: no filter by day can match them. */
  readonly heldUndated: number;
  /** All rows the endpoint counts, whenever they were created. */
  readonly total: number;
  /** The day of the API's clock: nothing was created after it. */
  readonly today: number;
  /** Asks the endpoint how many rows were created in a range of days; `undefined` if it does not say. */
  readonly countOf: (range: DayRange) => Promise<number | undefined>;
  /** How many requests may be spent on counting. */
  readonly maxRequests: number;
};

/** The days whose counts differ, oldest first, or why they cannot be determined. */
export type DifferingDays =
  | { readonly status: 'found'; readonly days: readonly number[] }
  | { readonly status: 'unknown'; readonly reason: string };

type Half = { readonly range: DayRange; readonly counted: number; readonly held: number };

/**
 * Finds the days for which the endpoint's count differs from the table's, by halving the range of days: one deleted
 * incident in a thousand days takes about a dozen requests. Equal counts are taken to mean equal rows. Counts that do
 * not add up are not trusted: a filter that reads days in another way would point to the wrong ones.
 */
export async function differingDays(comparison: Comparison): Promise<DifferingDays> {
  const { held, heldUndated, total, today, maxRequests } = comparison;
  const first = Math.min(today, ...held.keys());
  const range = { first, last: Math.max(today, ...held.keys()) };
  let requests = 0;
  const ask = async (days: DayRange) => {
    requests += 1;
    return comparison.countOf(days);
  };

  const counted = await ask(range);
  if (counted === undefined) return unknown('the endpoint gives no count for a range of days');
  if (total - counted !== heldUndated) {
    return unknown('rows without a time of creation, or from before the oldest known one, differ');
  }
  const days: number[] = [];
  const whole = half(held, range, counted);
  const open = [whole];
  let checked = false;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    // The whole range is known to differ, even if a row created since the total was counted makes its counts equal.
    if (next.counted === next.held && next !== whole) continue;
    const { first, last } = next.range;
    if (first === last) {
      days.push(first);
      continue;
    }
    // Checking the sum takes one more request.
    if (requests + (checked ? 1 : 2) > maxRequests) return unknown('too many days differ');
    const middle = Math.floor((first + last) / 2);
    const older = await ask({ first, last: middle });
    if (older === undefined) return unknown('the endpoint gives no count for a range of days');
    const newer = checked ? next.counted - older : await ask({ first: middle + 1, last });
    if (newer === undefined || newer < 0 || (!checked && older + newer < next.counted)) {
      return unknown('the counts of two halves do not add up to the count of the whole');
    }
    checked = true;
    open.push(half(held, { first: middle + 1, last }, newer), half(held, { first, last: middle }, older));
  }
  return { status: 'found', days };
}

function half(held: RowsPerDay, range: DayRange, counted: number): Half {
  return { range, counted, held: rowsIn(held, range) };
}

function rowsIn(held: RowsPerDay, { first, last }: DayRange): number {
  let rows = 0;
  for (const [day, count] of held) if (day >= first && day <= last) rows += count;
  return rows;
}

function unknown(reason: string): DifferingDays {
  return { status: 'unknown', reason };
}
