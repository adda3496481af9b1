/**
 * What travels between the workflows and the activities: small references, never a row and never the key.
 * Types only, so that a workflow's bundle holds nothing of the outside.
 */
import type { NewWindow, Window } from '../src/incident-io/windows.ts';
import type { KeyReference, VaultReference } from '../src/settings/key.ts';
import type { SyncMethod, TimestampField } from '../src/tables/table.ts';
import type {
  CommitOutcome,
  CommitRequest,
  MissingFields,
  Part,
  Upkeep,
} from '../src/warehouse/warehouse.ts';

/** One run of one table: what stays the same from plan to commit. */
export type TableRun = {
  readonly table: string;
  /** The first execution of the chain; names the staging folder and is found in the commit. */
  readonly chainId: string;
  /** The same under its name before version 0.2, for workers that are not yet upgraded. */
  readonly runId?: string;
  readonly apiKey: KeyReference | VaultReference;
  readonly baseUrl: string;
  /** `dashboard_url` of the account the run was asked for, or `unknown`. */
  readonly account: string;
  /** Comes again by itself: of the API's allowance, what nobody waits for leaves half to the user's other tools. */
  readonly periodic?: true;
  readonly limits: Limits;
  /** For how long removed files stay readable, in milliseconds; left out, as the table has it. */
  readonly retentionMs?: number;
};

export type Limits = {
  /** A batch ends after about so many rows … */
  readonly batchRows: number;
  /** … or so many milliseconds. */
  readonly batchMs: number;
  /** A run fails after so many milliseconds without progress. */
  readonly giveUpAfterMs: number;
};

export type PlanInput = {
  readonly run: TableRun;
  readonly syncMethod: SyncMethod;
  /** The same under its name before version 0.2, for workers that are not yet upgraded. */
  readonly method?: SyncMethod;
  /** For `incremental`. */
  readonly incrementalField?: TimestampField;
  /** For `incremental`: milliseconds after which everything is read all the same. */
  readonly fullReadEveryMs?: number;
  /** The watermark of the schedule's last run: it can make the table's own older, never newer. */
  readonly lastWatermark?: number;
};

export type Plan = {
  /** Reads the whole table and replaces it; why, in a sentence for people. */
  readonly fullRead: boolean;
  readonly reason: string;
  readonly windows: readonly Window[];
  /** The API's time at the run's first answer, milliseconds since the epoch; unknown where it sends no `Date`. */
  readonly now?: number;
  /** Half of the API's allowance is left to the user's other tools. */
  readonly leaveHalf?: true;
  readonly plannedOn: CommitRequest['plannedOn'];
  readonly state: CommitRequest['state'];
  /** Sentences for the report. */
  readonly notes: readonly string[];
};

export type ExtractInput = {
  readonly run: TableRun;
  readonly window: Window;
  /** The cursor to go on behind; from the window's start where there is none. */
  readonly after?: string;
  /** Cursors at which earlier batches of the window began: one that comes again goes round in circles. */
  readonly startedAt: readonly string[];
  /** The plan's, for cutting windows. */
  readonly now?: number;
  /** The plan's. */
  readonly leaveHalf?: true;
};

export type Extracted = {
  /** Absent where no page held a row. */
  readonly part?: Part;
  readonly pages: number;
  readonly requests: number;
  /** Of the answers. */
  readonly bytes: number;
  /** Milliseconds waited for tokens. */
  readonly waitedMs: number;
  readonly next:
    /** `total`: the endpoint's `total_record_count` at the last page. */
    | { readonly kind: 'done'; readonly total?: number }
    | { readonly kind: 'more'; readonly after: string }
    /** The cursor was refused or came again: the window is to be read from its start. */
    | { readonly kind: 'reopen'; readonly reason: string }
    /** The window is replaced by these, which cover it. */
    | { readonly kind: 'split'; readonly windows: readonly NewWindow[] };
  /** The window cannot be cut, or is not worth it. */
  readonly keepWhole?: true;
  /** Why the batch ended before its time, or what the report should say. */
  readonly note?: string;
  /** Fields the vendor's reference requires and rows lack. */
  readonly missing?: MissingFields;
};

export type CommitInput = {
  readonly run: TableRun;
  readonly plan: Pick<Plan, 'fullRead' | 'plannedOn' | 'state'>;
  /** In the order their batches ended. */
  readonly parts: readonly Part[];
  /** All rows the endpoint counts, where the reading has told it: then nobody has to ask again. */
  readonly total?: number;
};

export type DiscardInput = { readonly run: TableRun };

export type KeepUpInput = {
  readonly run: TableRun;
  /** `upkeepSince` of the commit. */
  readonly since: number;
};

export type Activities = {
  planSync(input: PlanInput): Promise<Plan>;
  extractBatch(input: ExtractInput): Promise<Extracted>;
  commitSync(input: CommitInput): Promise<CommitOutcome>;
  discardStaged(input: DiscardInput): Promise<void>;
  keepUp(input: KeepUpInput): Promise<Upkeep>;
};
