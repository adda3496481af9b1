import type { SnapshotsOfTables } from './delta/known-snapshots.ts';
import type { Jobs } from './duckdb.ts';
import type { Store } from './store/store.ts';

/** What everything that reads and writes tables works with. */
export type World = {
  /** Where the tables are. */
  readonly store: Store;
  readonly duckDb: Jobs;
  /** What is known of the tables' logs. */
  readonly snapshots: SnapshotsOfTables;
  /** The store's absolute path or URL, as errors name it. */
  readonly destination: string;
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number;
};
