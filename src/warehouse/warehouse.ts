import type { JsonLines } from '../records/answer.ts';
import type { Table, TimestampField } from '../tables/table.ts';
import type { Store } from './store/store.ts';

/**
 * What a table says about itself, committed in one Delta version with its rows: a watermark can never be
 * ahead of its data, whatever dies. Times are milliseconds since the epoch.
 */
export type TableState = {
  /** Raised by every commit of a run (`txn` `incident-io-source`). */
  readonly counter: number;
  /** Up to when the table is complete; absent where the next run has to read everything. */
  readonly watermark?: number;
  /** The API's time at which the last full read began. */
  readonly fullReadAt?: number;
  /** How often in a row the API's `total_record_count` and the committed rows differed. */
  readonly differences: number;
  /** `dashboard_url` of the account that feeds the table, or `unknown`. */
  readonly account: string;
  /** What the watermark was made with; a run that differs in any of them reads everything. */
  readonly incrementalField?: TimestampField;
  /** Canonical JSON of the revealing parameters. */
  readonly filters: string;
  /** Canonical JSON of the key's roles and teams, or `unknown`. */
  readonly visibility: string;
  /** The declared column types of the version that wrote last, canonical JSON. */
  readonly types: string;
  readonly rows: number;
  /**
   * Somebody else changed data after our last commit (RESTORE, DELETE), or that commit is no longer in the
   * log, or the columns are not the declared ones: what the state says may not be true of the rows, so the next
   * run reads everything.
   */
  readonly disturbed: boolean;
};

/** A staged part: rows of one batch in one Parquet file, written once under a name of its own. */
export type Part = {
  /** File name within the run's staging folder. */
  readonly name: string;
  readonly rows: number;
  /** Of the Parquet file. */
  readonly bytes: number;
  /** Milliseconds since the epoch; a part older than three days makes the run plan again. */
  readonly stagedAt: number;
};

/** Collects the rows of one batch and stages them as one part. */
export type PartWriter = {
  /** Adds rows, one line of JSON each, as `records` makes them. The bytes may be overwritten once this has resolved. */
  add(lines: JsonLines): Promise<void>;
  readonly rows: number;
  /** Bytes of JSON collected so far. */
  readonly bytes: number;
  /** Writes the part; `undefined` if no row was added. */
  finish(): Promise<Part | undefined>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
};

export type CommitRequest = {
  readonly chainId: string;
  /** In the order of the batches in workflow state: of two rows of a key with one `updated_at` the later wins. */
  readonly parts: readonly Part[];
  /** A full read replaces the table and drops keys it did not see; an incremental one merges. */
  readonly fullRead: boolean;
  /**
   * The counter the run was planned on; `none` where there was no table. Data that somebody else changed since
   * our last commit overtakes an incremental run; a full read replaces it, whenever that was.
   */
  readonly plannedOn: number | 'none';
  /** For how long removed files stay readable; left out, as the table has it (7 days). */
  readonly retentionMs?: number;
  /** `total_record_count`, where the endpoint gives it. */
  readonly total?: number;
  /** The state to commit; what the merge itself decides (rows, differences, a withheld watermark) is not in it. */
  readonly state: Pick<
    TableState,
    'watermark' | 'fullReadAt' | 'account' | 'incrementalField' | 'filters' | 'visibility'
  >;
};

export type CommitOutcome =
  | {
      readonly status: 'committed';
      readonly version: number;
      readonly counter: number;
      /** Rows of the table after the commit, and what became of them. */
      readonly rows: number;
      readonly rowsBefore: number;
      readonly inserted: number;
      readonly updated: number;
      readonly dropped: number;
      /** Bytes of the data files the commit added. */
      readonly bytesWritten: number;
      /** Columns added for fields the declaration does not know, and for values that did not fit. */
      readonly columnsAdded: readonly string[];
      /** As committed: absent where the run may not set one (it added a column for an unknown field). */
      readonly watermark?: number;
      readonly differences: number;
      /** There is upkeep to do: what `keepUp` needs to know. */
      readonly upkeepSince?: number;
    }
  /** A version since the planned one carries this run's id: an earlier attempt succeeded and its answer was lost. */
  | { readonly status: 'already_committed'; readonly version: number; readonly rows: number }
  /**
   * Somebody else's commit came in between, or a part is missing, too old or staged by a version with other
   * columns: drop the staging and plan again.
   */
  | { readonly status: 'overtaken'; readonly reason: string };

/** What upkeep did. */
export type Upkeep = {
  /** Small files that were compacted. */
  readonly filesCompacted: number;
  readonly filesRemoved: number;
  /** Files of the log. */
  readonly logRemoved: number;
  /** Runs whose abandoned staging went. */
  readonly stagingSwept: number;
};

/** The tables of one destination. */
export type Warehouse = {
  /** Where a person finds it: an absolute path or a URL. */
  readonly destination: string;
  readonly kind: Store['kind'];
  /** Writes and deletes a probe, until that has worked once; throws `DestinationError` where that fails or put-if-absent is not honoured. */
  assertWritable(): Promise<void>;
  /** Whether the destination can be reached now. Throws as `assertWritable` does. */
  assertReachable(): Promise<void>;
  /** `undefined` where there is no table. Throws `DestinationError` where a Delta table is not ours or not readable. */
  readState(table: Table): Promise<TableState | undefined>;
  createPart(table: Table, chainId: string): Promise<PartWriter>;
  commit(table: Table, request: CommitRequest): Promise<CommitOutcome>;
  /**
   * Commits a state with neither watermark nor account: the next run reads everything, and one that is going on
   * plans again. `false` where there is no table, which comes to the same.
   */
  resetState(table: Table): Promise<boolean>;
  /** Deletes what a run staged. No error where there is nothing. */
  discardStaged(table: Table, chainId: string): Promise<void>;
  /**
   * Compacts small files and removes what nobody needs any more; what there is too much of for a minute is left
   * to the next time. Readers of a version younger than the retention notice nothing.
   * @param since `upkeepSince` of the commit that asked for it
   *
   * Throws the first failure, after everything else was tried.
   */
  keepUp(table: Table, since: number, signal: AbortSignal): Promise<Upkeep>;
  /** Closes DuckDB. */
  close(): Promise<void>;
};
