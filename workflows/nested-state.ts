import type { SyncTableResult } from './contract.ts';
import type { CommitOutcome } from './host.ts';

/** The nested tables that were up to date after a run, and the counter of the table then. */
export type NestedState = { readonly counter: number; readonly tables: readonly string[] };

/** The facts that are known when a run begins. */
export type Before = {
  /** The result of the schedule's last run. */
  readonly lastResult: unknown;
  /** Only workers that do small runs in one step take the run. */
  readonly isQuick: boolean;
};

/** What a run has done, and the state that its result gets once its nested tables are up to date. */
export type Nesting = {
  readonly fullRead: boolean;
  readonly outcome: CommitOutcome;
  readonly result: Pick<SyncTableResult, 'changes'>;
  readonly state: NestedState | undefined;
};

/** `undefined` if the run's commit is not known to be the newest. */
export function nestedStateOf(outcome: CommitOutcome, tables: readonly string[]): NestedState | undefined {
  return outcome.status === 'committed' ? { counter: outcome.counter, tables } : undefined;
}

/**
 * Whether nested tables need no check: they were up to date after the previous run, and this one has changed nothing.
 *
 * Another program may have changed or deleted them, so they are still checked once a day, when upkeep is due.
 * Workers of an earlier version do so after each full read, and the history of their runs has to stay the same.
 */
export function areNestedCurrent(
  { fullRead, outcome, result, state }: Nesting,
  { lastResult, isQuick }: Before,
): boolean {
  const isUpkeepDue = outcome.status === 'committed' && outcome.upkeepSince !== undefined;
  const isLookDue = isQuick ? isUpkeepDue : fullRead;
  return !isLookDue && !hasChanged(result) && isNext(lastResult, state);
}

/** Whether the run wrote or dropped a row; assumed if the answer of its commit was lost. */
function hasChanged({ changes }: Nesting['result']): boolean {
  return changes === undefined || changes.inserted + changes.updated + changes.dropped > 0;
}

/** Whether all of the tables were up to date after the run before, with no other commit in between. */
function isNext(lastResult: unknown, state: NestedState | undefined): boolean {
  const last = (lastResult as Partial<SyncTableResult> | null | undefined)?.nested;
  if (last === undefined || state === undefined) return false;
  return last.counter + 1 === state.counter && state.tables.every((name) => last.tables.includes(name));
}
