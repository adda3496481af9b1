/**
 * What the workflows take, return and report. Types only, so that whoever starts or follows a run can import them
 * without the workflows.
 */
import type { Sinks } from '@temporalio/workflow';
import type { Plan, TableRun } from '../activities/contract.ts';
import type { NestedState } from './nested-state.ts';
import type { Unavailable } from './unavailable.ts';
import type { Figures, Reading } from './windows.ts';

/** One run of `syncTable`. */
export type SyncTableInput = {
  readonly run: Omit<TableRun, 'chainId' | 'runId'>;
  readonly syncMethod: 'full_refresh' | 'incremental';
  /** For `incremental`. */
  readonly incrementalField?: 'updated_at' | 'created_at';
  /** For `incremental`: the whole table is read after this many milliseconds anyway; if left out, never. */
  readonly fullReadEveryMs?: number;
  /**
   * A small run is done by one activity: `local`, within its first workflow task if possible, or `true`, as schedules of
   * an earlier version have it. A worker cannot replay a run that began in another way, so the input decides.
   */
  readonly quick?: true | 'local';
  /** Where a run that continued as new resumes. */
  readonly carried?: Carried;
};

/** What a run carries from one execution of its chain to the next. */
export type Carried = {
  readonly plan: Plan;
  readonly reading: Reading;
  /** How often the run has been planned. */
  readonly planned: number;
  /** When a worker took the first execution of the chain; milliseconds since the epoch. */
  readonly began?: number;
  /** How long the first execution had waited for that worker. */
  readonly queuedSeconds?: number;
  /** Set while the table is read a second time: why, and how many rows the first reading would have dropped. */
  readonly doubt?: Doubt;
};

/** Why a commit was not made: the listing is contradicted. */
export type Doubt = { readonly reason: string; readonly dropped: number };

/** What a run of `syncTable` did. */
export type SyncTableResult = {
  readonly table: string;
  readonly fullRead: boolean;
  /** Why everything was read, or the time since which changes were read. */
  readonly reason: string;
  /** The Delta version of the run's commit. */
  readonly version: number;
  /** Rows of the table after the commit. */
  readonly rows: number;
  /** The account does not have the list: nothing was committed, and `version` and `rows` say nothing. */
  readonly unavailable?: Unavailable;
  /** Counts of rows; unknown if the commit succeeded but its answer was lost. */
  readonly changes?: {
    readonly rowsBefore: number;
    readonly inserted: number;
    readonly updated: number;
    readonly dropped: number;
    readonly bytesWritten: number;
    readonly columnsAdded: readonly string[];
  };
  /** Milliseconds since the epoch. */
  readonly watermark?: number;
  readonly read: Figures;
  /** The nested tables that are up to date with the table as of this counter; absent if there are none, or one is not. */
  readonly nested?: NestedState;
  /** From when a worker took the run until its commit. */
  readonly seconds: number;
  /** From the run's start until a worker took it. */
  readonly queuedSeconds?: number;
  /** Sentences for people. */
  readonly notes: readonly string[];
};

/** How far a run of `syncTable` is, for people who wait for it. */
export type TableProgress = {
  readonly table: string;
  readonly phase: 'planning' | 'reading' | 'committing' | 'done';
  readonly fullRead?: boolean;
  readonly reason?: string;
  readonly read?: Figures;
  readonly windows?: { readonly open: number; readonly done: number };
  /** For a table that is read parent by parent: each parent costs at least one request. */
  readonly parents?: { readonly done: number; readonly total: number };
  readonly notes: readonly string[];
};

/** What a worker learns about each run that ends. It is a sink, so that it adds nothing to the history. */
export interface RunSinks extends Sinks {
  readonly incidentIoSource: {
    runEnded(table: string, outcome: 'synced' | 'failed' | 'cancelled', seconds: number): void;
  };
}

/** One run of `syncSource`. */
export type SyncSourceInput = {
  /** One run per table, each under the workflow id that its destination and table determine. */
  readonly tables: readonly {
    readonly workflowId: string;
    readonly input: SyncTableInput;
    /** The run begins when the run of this table has ended, because it is read by that table's rows. */
    readonly after?: string;
  }[];
};

/** How the run of one table of a `syncSource` ended. */
export type TableOutcome =
  | { readonly table: string; readonly status: 'synced'; readonly result: SyncTableResult }
  | {
      readonly table: string;
      readonly status: 'failed';
      /** The error's name. */
      readonly error: string;
      readonly message: string;
      readonly advice: string;
    };
