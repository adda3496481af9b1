import { tables } from '../tables/index.ts';
import type { Table } from '../tables/table.ts';
import { demoSizes } from './demo-sizes.ts';
import { fixedLists } from './data/sources.ts';
import type { Sizes } from './data/source.ts';

/** A large account. */
const benchmark = {
  incidents: 30_000,
  incident_updates: 60_000,
  follow_ups: 15_000,
  alerts: 100_000,
  escalations: 10_000,
  users: 1500,
  schedules: 60,
} as const satisfies Sizes;

/** An account on its first day, with nothing but the lists that every account has. */
const empty: Sizes = Object.fromEntries(
  tables.flatMap(({ name }) => (name in fixedLists ? [] : [[name, 0] as const])),
);

/** The tables whose rows are written by hand; a declaration is enough for all others. */
export const tablesByHand: readonly string[] = [...Object.keys(demoSizes), ...Object.keys(fixedLists)];

/** Ready-made amounts of data. */
export const sandboxSizes = { demo: demoSizes, benchmark, empty };

/**
 * How many rows each table has: as given, as in the demo, or else enough for a few pages. Throws a RangeError for a size
 * that is not a whole number, or of a table that does not exist or has a fixed list.
 */
export function sizesOf(served: readonly Table[], given: Sizes): (table: string) => number {
  const byName = new Map([...tables, ...served].map((table) => [table.name, table]));
  for (const [name, size] of Object.entries(given)) {
    if (!byName.has(name)) throw new RangeError(`there is no table ${name} to give a size to`);
    if (name in fixedLists) throw new RangeError(`${name} is a fixed list: its size cannot be set`);
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new RangeError(`the size of ${name} must be a whole number, 0 or more`);
    }
  }
  const sizes: Sizes = { ...demoSizes, ...given };
  return (name) => sizes[name] ?? (byName.get(name)?.paging.kind === 'single' ? 25 : 120);
}
