import type { TableShape, TimestampField } from '../tables/table.ts';
import type { Snapshot } from './delta/snapshot.ts';
import type { DifferenceRequest, LinesFile } from './read/difference.ts';
import type { Store } from './store/store.ts';
import type {
  Changes,
  ComparedParents,
  ParentColumns,
  ParentPick,
  ParentRange,
  ParentRow,
  RowsByDay,
  RowsToRead,
  SeenVersion,
  TypedRow,
} from './committed-rows.ts';
import type { KeyWriter, Part, PartOptions, PartWriter } from './part.ts';
import type { Replaced } from './replaced-rows.ts';

/**
 * A table's own record of what it holds. It is committed in the same Delta version as the rows, so that a crash never
 * leaves a watermark ahead of its data. Times are milliseconds since the epoch.
 */
export type TableState = {
  /** Raised by every commit of a run (`txn` `incident-io-source`). */
  readonly counter: number;
  /** The table is complete up to this time; absent if the next run has to read everything. */
  readonly watermark?: number;
  /** The API's time at which the last full read began. */
  readonly fullReadAt?: number;
  /** For how many runs in a row the API's `total_record_count` has differed from the committed rows. */
  readonly differences: number;
  /**
   * By how many rows the API's count was above the table's after the last full read. It is nearly always 0; if it is
   * not, the API counts rows that it does not list.
   */
  readonly countOffset: number;
  /** `dashboard_url` of the account whose rows the table holds, or `unknown`. */
  readonly account: string;
  // The watermark is valid only together with these: if a run differs in any of them, it reads everything.
  readonly incrementalField?: TimestampField;
  /** Canonical JSON of the revealing parameters. */
  readonly filters: string;
  /** Canonical JSON of the key's roles and teams, or `unknown`. */
  readonly visibility: string;
  /** Canonical JSON of the column types as declared by the program version that wrote last. */
  readonly types: string;
  /** Canonical JSON of the rules by which columns are left out or hashed; absent without rules. */
  readonly columns?: string;
  /** The version of the parent's table that the rows were made from; absent if there is no parent, or none was seen. */
  readonly parent?: SeenVersion;
  /** The keys of a few parents that the last run could not read; the next one reads them. */
  readonly left?: readonly string[];
  /** When a full read found rows that a reading by changes had missed; milliseconds since the epoch. */
  readonly missedAt?: number;
  readonly rows: number;
  /** Our last commit; absent if `disturbed`. */
  readonly lastCommit?: LastCommit;
  /**
   * The state may not match the rows, so the next run reads everything: another writer changed data after our last
   * commit (RESTORE, DELETE), or that commit is no longer in the log, or the columns are not the declared ones.
   */
  readonly disturbed: boolean;
};

export type LastCommit = {
  readonly version: number;
  readonly chainId?: string;
  /** As in `CommitRequest`. */
  readonly digest?: string;
};

export type StagedRun = Pick<CommitRequest, 'chainId' | 'parts'>;

export type CommitRequest = {
  readonly chainId: string;
  /** In the order of the batches in workflow state: if two rows have the same key and `updated_at`, the later wins. */
  readonly parts: readonly Part[];
  /** A full read replaces the table and drops the keys that it did not see; an incremental run merges. */
  readonly fullRead: boolean;
  /**
   * The counter the run was planned on; `none` if there was no table. If another writer changed data after our last
   * commit, an incremental run is overtaken; a full read replaces that data.
   */
  readonly plannedOn: number | 'none';
  /** How long removed files stay readable; by default what the table says (7 days unless it was changed). */
  readonly retentionMs?: number;
  /** A hash of all rows that the run has read. The commit records it. */
  readonly digest?: string;
  /**
   * The run has read the same rows as the commit that it was planned on, and staged none: only the state changes. It is
   * overtaken if another writer has changed the table since.
   */
  readonly unchanged?: true;
  /** The API's `total_record_count`, if the endpoint has one. */
  readonly total?: number;
  /**
   * If given, a full read that looks incomplete is `doubtful` instead of committed. `droppedAtFirst` is given with the
   * second reading: how many rows the first one would have dropped. The parts are then those of both readings.
   */
  readonly question?: { readonly droppedAtFirst?: number };
  /** Rows that an incremental commit replaces: those whose key was not staged are dropped. */
  readonly replaces?: Replaced;
  /** The state to commit, without what the merge decides: rows, differences, and whether to withhold the watermark. */
  readonly state: Pick<
    TableState,
    | 'watermark'
    | 'fullReadAt'
    | 'account'
    | 'incrementalField'
    | 'filters'
    | 'visibility'
    | 'parent'
    | 'left'
    | 'missedAt'
    | 'columns'
  >;
};

export type CommitOutcome =
  | {
      readonly status: 'committed';
      readonly version: number;
      readonly counter: number;
      /** The number of rows in the table after the commit. */
      readonly rows: number;
      readonly rowsBefore: number;
      readonly inserted: number;
      readonly updated: number;
      readonly dropped: number;
      /** The size of the data files that the commit added. */
      readonly bytesWritten: number;
      /** Columns added for fields that the declaration does not know, and for values that did not fit. */
      readonly columnsAdded: readonly string[];
      /** As committed; absent if the run may not set one, because it added a column for an unknown field. */
      readonly watermark?: number;
      readonly differences: number;
      /** For a full read: the rows that a reading by changes had missed. */
      readonly missed?: number;
      /** Present if there is upkeep to do: the time to hand to `keepUp`. */
      readonly upkeepSince?: number;
    }
  /** A version after the planned one has this run's id: an earlier attempt succeeded, and its result was lost. */
  | { readonly status: 'already_committed'; readonly version: number; readonly rows: number }
  /**
   * Another commit came first, or a part is missing, too old or staged by a program version that declares other
   * columns. The run has to discard its staging and plan again.
   */
  | { readonly status: 'overtaken'; readonly reason: string }
  /**
   * Nothing was committed: the listing is contradicted by what the table holds, or by the API's own count. Staging
   * stays, for a second reading to add to.
   */
  | {
      readonly status: 'doubtful';
      /** Half a sentence: `40 of its 50 rows would be dropped`. */
      readonly reason: string;
      /** Rows the commit would have dropped. */
      readonly dropped: number;
    };

/** What upkeep has done. */
export type Upkeep = {
  /** The number of small files that were compacted. */
  readonly filesCompacted: number;
  /** The number of data files that were deleted. */
  readonly filesRemoved: number;
  /** The number of log files that were deleted. */
  readonly logRemoved: number;
  /** The number of runs whose abandoned staging was deleted. */
  readonly stagingSwept: number;
};

/** A commit of a run, as the table's log records it. */
export type RunCommit = {
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly chainId: string;
  readonly fullRead: boolean;
  /** Rows of the table after the commit. */
  readonly rows: number;
  readonly inserted: number;
  readonly updated: number;
  readonly dropped: number;
};

/** The tables of one destination. */
export type Warehouse = {
  /** The absolute path or URL, as shown to people. */
  readonly destination: string;
  readonly kind: Store['kind'];
  /** Probes the destination until that has succeeded once. Throws as `probeStore` does. */
  assertWritable(): Promise<void>;
  /** Throws like `assertWritable` if the destination cannot be reached now. */
  assertReachable(): Promise<void>;
  /** `undefined` if there is no table. Throws `DestinationError` if a Delta table is not ours or cannot be read. */
  readState(table: TableShape): Promise<TableState | undefined>;
  /** The latest commits of runs that the table's log still has, newest first; none if there is no table. */
  runCommits(table: TableShape, most: number): Promise<RunCommit[]>;
  /** Counts the rows of the committed table by the UTC day of a timestamp column; no rows if there is no table. */
  rowsByDay(table: TableShape, column: string): Promise<RowsByDay>;
  createPart(table: TableShape, chainId: string, options?: PartOptions): Promise<PartWriter>;
  /** @param by the columns of the table that hold the parent's key */
  createKeys(table: TableShape, by: ParentColumns, chainId: string): Promise<KeyWriter>;
  /** The newest version of a table; `undefined` if there is no table. */
  newestVersion(table: TableShape): Promise<SeenVersion | undefined>;
  /**
   * When a version was committed, milliseconds since the epoch: every row written later has a greater `_synced_at`.
   * `undefined` if the log no longer reaches back to it, or the table was made again.
   */
  commitTime(table: TableShape, version: SeenVersion): Promise<number | undefined>;
  /** Cuts the picked parents into ranges of about equal size. `undefined` if the version is gone. */
  parentRanges(
    parent: TableShape,
    pick: ParentPick,
    size: { readonly each: number; readonly most: number },
  ): Promise<readonly ParentRange[] | undefined>;
  /**
   * Counts the rows that a full read adds, changes or drops, although their parent is not among the picked ones, which
   * a reading by changes would have read. Rows that were created after `completeTo` do not count: their parent's
   * change may not have arrived.
   */
  missedRows(table: TableShape, parents: ComparedParents, staged: StagedRun): Promise<number>;
  /**
   * The first picked parents of a range, in order, with these columns. `undefined` if the version is gone.
   * @param range with `from`, it begins with that key
   */
  parentsIn(
    parent: TableShape,
    pick: ParentPick,
    range: Omit<ParentRange, 'count'> & { readonly from?: string },
    what: { readonly columns: readonly string[]; readonly limit: number },
  ): Promise<readonly ParentRow[] | undefined>;
  /** What has happened to a table after a version that was seen, up to another one. */
  changesSince(table: TableShape, seen: SeenVersion | undefined, upTo: SeenVersion): Promise<Changes>;
  /** Hands over rows of a version, a few thousand at a time; `false` if the log no longer has that version. */
  eachRow(
    table: TableShape,
    version: SeenVersion,
    what: RowsToRead,
    use: (rows: readonly TypedRow[]) => Promise<void>,
  ): Promise<boolean>;
  commit(table: TableShape, request: CommitRequest): Promise<CommitOutcome>;
  /**
   * The table as of a version, the newest if none is given; `undefined` if there is no table, or if its log no longer
   * reaches back to the version.
   */
  snapshotOf(table: TableShape, version?: number): Promise<Snapshot | undefined>;
  /**
   * Whether rows of the older version are no longer in the newer one. Throws `StateError` if data files of either are no
   * longer there.
   */
  compare(
    table: TableShape,
    versions: Pick<DifferenceRequest, 'before' | 'after'>,
  ): Promise<{ readonly holdsDeleted: boolean }>;
  /**
   * Gives the rows that differ between two versions, as files of text lines, one after the other; `use` may keep a file
   * until it resolves. The data files of both have to be there.
   */
  readDifference(
    table: TableShape,
    request: DifferenceRequest,
    use: (lines: LinesFile) => Promise<void>,
  ): Promise<void>;
  /**
   * Commits a state with neither watermark nor account: the next run reads everything, and a run in progress plans
   * again. Returns `false` if there is no table: then the next run reads everything anyway.
   */
  resetState(table: TableShape): Promise<boolean>;
  /** Deletes everything that a run has staged. Does nothing if there is nothing. */
  discardStaged(table: TableShape, chainId: string): Promise<void>;
  /** Deletes what every run of the table staged, once no run is left. No error if there is nothing. */
  discardAll(table: TableShape): Promise<void>;
  /**
   * Compacts small files and deletes what is no longer needed. Stops after a minute: the next upkeep continues.
   * Every version younger than the retention stays readable.
   * Throws the first failure after trying everything else.
   * @param since `upkeepSince` of the commit that asked for upkeep
   */
  keepUp(table: TableShape, since: number, signal: AbortSignal): Promise<Upkeep>;
  /** A small text that was written under this name; `undefined` if none was. */
  readNote(name: string): Promise<string | undefined>;
  /** Writes or replaces it. Only for text that may be lost: two writers may overwrite each other. */
  writeNote(name: string, text: string): Promise<void>;
  /** Closes DuckDB. */
  close(): Promise<void>;
};
