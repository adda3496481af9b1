import type { Activities, Plan, TableRun } from '../activities/contract.ts';
import type { Carried, SyncTableResult } from './contract.ts';
import type { Announce } from './progress.ts';

export type CommitOutcome = Awaited<ReturnType<Activities['commitSync']>>;

/**
 * What a run of a table needs from the place where it runs: a workflow, or a process without Temporal. Everything that
 * decides what a run does is written against this, so that both do the same.
 */
export type RunHost = {
  /** The steps, with their retries: one that fails here has failed for good. */
  readonly activities: Pick<Activities, 'planSync' | 'extractBatch' | 'commitSync' | 'discardStaged'>;
  /** The step that does a small run as a whole; absent if this host, or a worker that may take the run, lacks it. */
  readonly quickSync: Activities['quickSync'] | undefined;
  /** The watermark of the run before, if the host remembers it. */
  readonly lastWatermark: number | undefined;
  readonly announce: Announce;
  /** Plans the run. If its parent's table does not exist yet and the host can wait, tries again until it does. */
  readonly planning: <T>(run: TableRun, plan: () => Promise<T>) => Promise<T>;
  readonly sleep: (ms: number) => Promise<void>;
  /** False once the run should continue as new: no batch is started any more. */
  readonly mayStartBatches: () => boolean;
  /** Ends this execution; the next one resumes with what is carried. */
  readonly continueLater: (carried: Carried) => Promise<never>;
  /** Does work whose steps can be cancelled together. */
  readonly cancelling: <T>(work: (cancel: () => void) => Promise<T>) => Promise<T>;
  /** The step that compares counts day by day; `undefined` if this run does not do that. Asked only if it is needed. */
  readonly recountSync: () => Activities['recountSync'] | undefined;
  /** Brings the tables that are made from lists inside this one up to date. Fails no run; returns the result with notes. */
  readonly nest: (
    run: TableRun,
    plan: Plan,
    outcome: CommitOutcome,
    result: SyncTableResult,
  ) => Promise<SyncTableResult>;
  /** Does the upkeep that a commit left to do. Never fails; returns notes for the report. */
  readonly keepUp: (run: TableRun, outcome: CommitOutcome) => Promise<string[]>;
  readonly isCancellation: (error: unknown) => boolean;
  /** What went wrong, in words. */
  readonly explain: (error: unknown) => string;
};
