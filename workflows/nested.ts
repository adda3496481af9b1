import { ActivityCancellationType, isCancellation, patched, proxyActivities } from '@temporalio/workflow';
import { defined } from '../src/defined.ts';
import type { Activities, Plan, TableRun } from '../activities/contract.ts';
import type { SyncTableResult } from './contract.ts';
import { asApplicationFailure } from './failures.ts';
import type { CommitOutcome } from './host.ts';
import { areNestedCurrent, type Before, nestedStateOf } from './nested-state.ts';

const { updateNested } = proxyActivities<Pick<Activities, 'updateNested'>>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '15 seconds',
  // Otherwise a cancelled attempt could still stage after the run has ended.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  // The run is already committed, so anything that three attempts cannot fix is left to the next run.
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumAttempts: 3 },
});

/**
 * After the run's commit, brings the nested tables that come with the table up to date. A failure does not fail the
 * run: the next one continues.
 * @returns the result with their outcome.
 */
export async function nest(
  run: TableRun,
  { nested, fullRead }: Plan,
  outcome: CommitOutcome,
  result: SyncTableResult,
  before: Before,
): Promise<SyncTableResult> {
  // Plans made by workers that did not know nested tables do not name any.
  if (nested === undefined) return result;
  const state = nestedStateOf(outcome, nested);
  if (areNestedCurrent({ fullRead, outcome, result, state }, before))
    return { ...result, ...defined({ nested: state }) };
  // A worker that did not know nested tables may have continued with a plan that names some.
  if (!patched('nested')) return result;
  try {
    const { notes } = await updateNested({ run, tables: nested });
    return { ...result, ...defined({ nested: state }), notes: [...result.notes, ...notes] };
  } catch (error) {
    const why = isCancellation(error) ? 'it was cancelled' : asApplicationFailure(error).message;
    return {
      ...result,
      notes: [...result.notes, `Tables made from lists inside this one are left to the next run: ${why}`],
    };
  }
}
