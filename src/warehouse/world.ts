import type { DuckDb } from './duckdb.ts';
import type { Store } from './store/store.ts';

/** What a commit works with: where the tables are, the engine, and the clock. */
export type CommitWorld = {
  readonly store: Store;
  readonly duckDb: DuckDb;
  readonly destination: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};
