import { ActivityCancellationType, isCancellation, patched, proxyActivities } from '@temporalio/workflow';
import type { Activities, Plan, TableRun } from '../activities/contract.ts';
import type { SyncTableResult } from './contract.ts';
import { asApplicationFailure } from './failures.ts';
import type { CommitOutcome } from './host.ts';

const { updateNested } = proxyActivities<Pick<Activities, 'updateNested'>>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '15 seconds',
  // Otherwise a cancelled attempt could still stage after the run has ended.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  // The run is already committed, so anything that three attempts cannot fix is left to the next run.
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumAttempts: 3 },
});

/** The nested tables that were up to date after a run, and the counter of the table then. */
export type NestedState = { readonly counter: number; readonly tables: readonly string[] };

/**
 * After the run's commit, brings the nested tables that come with the table up to date. A failure does not fail the
 * run: the next one continues.
 * @param lastResult of the schedule's last run
 * @returns the result with their outcome.
 */
export async function nest(
  run: TableRun,
  { nested, fullRead }: Plan,
  outcome: CommitOutcome,
  result: SyncTableResult,
  lastResult: unknown,
): Promise<SyncTableResult> {
  // Plans made by workers that did not know nested tables do not name any.
  if (nested === undefined) return result;
  const counter = outcome.status === 'committed' ? outcome.counter : undefined;
  const state = counter === undefined ? {} : { nested: { counter, tables: nested } };
  if (!fullRead && !hasChanged(result) && isNext(lastResult, counter, nested)) return { ...result, ...state };
  // A worker that did not know nested tables may have continued with a plan that names some.
  if (!patched('nested')) return result;
  try {
    const { notes } = await updateNested({ run, tables: nested });
    return { ...result, ...state, notes: [...result.notes, ...notes] };
  } catch (error) {
    const why = isCancellation(error) ? 'it was cancelled' : asApplicationFailure(error).message;
    return {
      ...result,
      notes: [...result.notes, `Tables made from lists inside this one are left to the next run: ${why}`],
    };
  }
}

/** Whether the run wrote or dropped a row; assumed if the answer of its commit was lost. */
function hasChanged({ changes }: SyncTableResult): boolean {
  return changes === undefined || changes.inserted + changes.updated + changes.dropped > 0;
}

/** Whether all of the tables were up to date after the run before, with no other commit in between. */
function isNext(lastResult: unknown, counter: number | undefined, tables: readonly string[]): boolean {
  const last = (lastResult as Partial<SyncTableResult> | null | undefined)?.nested;
  return (
    last !== undefined && last.counter + 1 === counter && tables.every((name) => last.tables.includes(name))
  );
}
