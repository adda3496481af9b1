/**
 * What travels between the workflows and the activities: small references, never a row and never the key.
 * Types only, so that nothing from outside gets into the bundle of the workflows.
 */
import type { NewWindow, Window } from '../src/incident-io/windows.ts';
import type { ColumnRules } from '../src/records/column-rules.ts';
import type { MissingFields } from '../src/records/missing-fields.ts';
import type { KeyReference, VaultReference } from '../src/settings/key.ts';
import type { SyncMethod, TimestampField } from '../src/tables/table.ts';
import type { CommitOutcome, CommitRequest, Upkeep } from '../src/warehouse/warehouse.ts';
import type { ReplacedOverlap } from '../src/warehouse/replaced-rows.ts';
import type { Part } from '../src/warehouse/part.ts';
import type { ParentPick } from '../src/warehouse/committed-rows.ts';

/** One run of one table: everything that stays the same from plan to commit. */
export type TableRun = {
  readonly table: string;
  /** Where its tables are, as `destinationOf` gives it; absent on a queue that has one destination. */
  readonly destination?: string;
  /** The first execution of the run's chain: it names the staging folder and is recorded in the commit. */
  readonly chainId: string;
  /** The same, under the name it had before version 0.2, for workers that are not upgraded yet. */
  readonly runId?: string;
  readonly apiKey: KeyReference | VaultReference;
  readonly baseUrl: string;
  /** `dashboard_url` of the account the run was asked for, or `unknown`. */
  readonly account: string;
  /** The run is scheduled. No one waits for it, so its repeated full reads leave half of the API's rate limit free. */
  readonly periodic?: true;
  readonly limits: Limits;
  /** The rules by which columns are left out or hashed; absent if everything lands unchanged. */
  readonly columns?: RunColumns;
  /** The nested tables that come with the table are not made. */
  readonly withoutNested?: true;
  /** How long removed files stay readable, in milliseconds; if left out, the table's own setting stays. */
  readonly retentionMs?: number;
};

export type RunColumns = ColumnRules & {
  /** Where the hash key is. */
  readonly hashKey?: KeyReference | VaultReference;
};

export type Limits = {
  /** A batch ends after about this many rows … */
  readonly batchRows: number;
  /** … or this many milliseconds. */
  readonly batchMs: number;
  /** A run fails after this many milliseconds without progress. */
  readonly giveUpAfterMs: number;
  /** Milliseconds before a doubtful table is read again; 15 seconds if left out. */
  readonly secondLookAfterMs?: number;
};

export type PlanInput = {
  readonly run: TableRun;
  readonly syncMethod: SyncMethod;
  /** The same, under the name it had before version 0.2, for workers that are not upgraded yet. */
  readonly method?: SyncMethod;
  /** For `incremental`. */
  readonly incrementalField?: TimestampField;
  /** For `incremental`: the whole table is read after this many milliseconds anyway; if left out, never. */
  readonly fullReadEveryMs?: number;
  /** The watermark of the schedule's last run. It can move the table's own back, never forward. */
  readonly lastWatermark?: number;
};

export type Plan = {
  /** The run reads the whole table and replaces it. */
  readonly fullRead: boolean;
  /** Why everything is read, or the time since which changes are read: for people. */
  readonly reason: string;
  readonly windows: readonly Window[];
  /** The API's time at the run's first answer, milliseconds since the epoch; unknown if it sends no `Date`. */
  readonly now?: number;
  /** The run leaves half of the API's rate limit to the user's other tools. */
  readonly leaveHalf?: true;
  readonly plannedOn: CommitRequest['plannedOn'];
  readonly state: CommitRequest['state'];
  /** For a table that is read parent by parent. */
  readonly parents?: PlannedParents;
  /** For a full read of the list: the parents that a reading by changes would have read. */
  readonly compare?: { readonly pick: ParentPick; readonly completeTo: number };
  /** Sentences for the report. */
  readonly notes: readonly string[];
  /** The nested tables that come with the table; absent if none do. */
  readonly nested?: readonly string[];
};

/** Which parents' rows a run reads. */
export type PlannedParents = {
  readonly pick: ParentPick;
  /** How many there are. */
  readonly count: number;
  /** Which of their rows are read, if not all. */
  readonly within?: ReplacedOverlap;
};

export type ExtractInput = {
  readonly run: TableRun;
  readonly window: Window;
  /** The cursor to continue after; if left out, the batch starts at the window's beginning. */
  readonly after?: string;
  /** Cursors at which earlier batches of the window started: a cursor that comes back means a loop. */
  readonly startedAt: readonly string[];
  /** `now` of the plan, for splitting windows. */
  readonly now?: number;
  /** As in the plan. */
  readonly leaveHalf?: true;
  /** The plan's pick, for a window of parents. */
  readonly parents?: ParentPick;
  /** There was no table when the run was planned. */
  readonly isFirst?: true;
};

export type Extracted = {
  /** Absent if no page held a row, or if the rows are the same as in the table's last commit. */
  readonly part?: Part;
  /** How many rows were read, if they were not staged. */
  readonly unchanged?: number;
  readonly pages: number;
  readonly requests: number;
  /** Size of the answers. */
  readonly bytes: number;
  /** Milliseconds spent waiting for tokens. */
  readonly waitedMs: number;
  readonly next:
    /** `total`: the endpoint's `total_record_count` on the last page. */
    | { readonly kind: 'done'; readonly total?: number }
    | { readonly kind: 'more'; readonly after: string }
    /** The cursor was refused or came back: the window has to be read again from its start. */
    | { readonly kind: 'reopen'; readonly reason: string }
    /** These windows, which cover it, replace the window. */
    | { readonly kind: 'split'; readonly windows: readonly NewWindow[] };
  /** For a window of parents. */
  readonly parents?: ExtractedParents;
  /** The window cannot be split, or splitting it does not pay. */
  readonly keepWhole?: true;
  /** Why the batch ended early, or another sentence for the report. */
  readonly note?: string;
  /** Fields that the vendor's reference requires but that rows lack. */
  readonly missing?: MissingFields;
  /** Undeclared fields that were left out because their names look like those of secrets: `creator.token`. */
  readonly withheld?: readonly string[];
};

/** A batch of a window of the plan. */
export type WindowBatch = { readonly windowId: number; readonly extracted: Extracted };

/** What one activity has done of a run: all of it, if the first batch of each window was its last. */
export type QuickSynced = {
  readonly plan: Plan;
  /** The first batch of each window; none if the plan opens too many windows for one activity. */
  readonly batches: readonly WindowBatch[];
  /** Absent if there is more to read. */
  readonly outcome?: CommitOutcome;
};

/** The parents that a batch has dealt with. */
export type ExtractedParents = {
  /** How many were read to their end. */
  readonly done: number;
  /** How many of those the API does not know. */
  readonly gone: number;
  /** The keys of those that could not be read. A run with more than a few of them fails. */
  readonly left: readonly string[];
  /** The staged keys of those that were read to their end. */
  readonly keys?: Part;
};

/** The parents that a run has dealt with. */
export type ReadParents = Omit<ExtractedParents, 'keys'> & { readonly keys: readonly Part[] };

export type CommitInput = {
  readonly run: TableRun;
  readonly plan: Pick<Plan, 'fullRead' | 'plannedOn' | 'state' | 'parents' | 'compare' | 'now'>;
  /** In the order their batches ended. */
  readonly parts: readonly Part[];
  /** For a table that is read parent by parent. */
  readonly parents?: ReadParents;
  /** The endpoint's count of all rows, if the reading found it; otherwise the commit asks for it. */
  readonly total?: number;
  /** Sent by workflows that read the table again if the commit is doubtful; without it no commit is questioned. */
  readonly look?: Look;
  /** As `CommitRequest` has them; known only if one activity has read all rows. */
  readonly digest?: string;
  readonly unchanged?: true;
  /** The run has read for so long that the account behind its key may be another one by now. */
  readonly isLong?: true;
};

/**
 * What the attempts of an activity tell each other, and anyone who watches, through heartbeats. Times are milliseconds
 * since the epoch, by the worker's clock.
 */
export type Beat = {
  readonly at: number;
  /** Since when nothing has worked. */
  readonly failingSince?: number;
  /** The end of a wait that the API asked for, or that follows its refusal; absent if the activity does not wait. */
  readonly waitingUntil?: number;
};
/** Whether the run has read its table once or twice, and how many rows the first reading would have dropped. */
export type Look = { readonly reading: 1 } | { readonly reading: 2; readonly droppedAtFirst: number };

export type RecountInput = {
  readonly run: TableRun;
  /** The counter of the commit after which the counts differ. */
  readonly plannedOn: number;
  /** The plan's. */
  readonly now?: number;
};

/** The outcome of comparing the API's counts with the table's, day by day. */
export type Recounted =
  /** There was nothing to repair: the counts now agree, the API only has newer rows, or another commit came first. */
  | { readonly status: 'agrees' }
  /** Days were read again, and the counts agree now. */
  | {
      readonly status: 'recounted';
      readonly version: number;
      readonly rows: number;
      readonly inserted: number;
      readonly updated: number;
      readonly dropped: number;
      readonly days: number;
      readonly requests: number;
    }
  /** The days that differ could not be determined. */
  | { readonly status: 'unknown'; readonly reason: string; readonly requests: number };

export type NestedInput = {
  readonly run: TableRun;
  /** The names of the nested tables, as the plan has them. */
  readonly tables: readonly string[];
};

/** The outcome for the nested tables that come with a table. */
export type NestedUpdate = {
  /** Those that were behind. */
  readonly tables: readonly {
    readonly table: string;
    /** Rows after the commit. */
    readonly rows: number;
    readonly inserted: number;
    readonly updated: number;
    readonly dropped: number;
  }[];
  /** Sentences for the report. */
  readonly notes: readonly string[];
};

export type DiscardInput = { readonly run: TableRun };

export type KeepUpInput = {
  readonly run: TableRun;
  /** `upkeepSince` of the commit. */
  readonly since: number;
};

export type Activities = {
  quickSync(input: PlanInput): Promise<QuickSynced>;
  planSync(input: PlanInput): Promise<Plan>;
  extractBatch(input: ExtractInput): Promise<Extracted>;
  commitSync(input: CommitInput): Promise<CommitOutcome>;
  recountSync(input: RecountInput): Promise<Recounted>;
  updateNested(input: NestedInput): Promise<NestedUpdate>;
  discardStaged(input: DiscardInput): Promise<void>;
  keepUp(input: KeepUpInput): Promise<Upkeep>;
};
