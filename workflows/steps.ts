import {
  ActivityCancellationType,
  CancellationScope,
  ApplicationFailure,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { Activities, PlanInput, QuickSynced, TableRun } from '../activities/contract.ts';
import { adviceOf, asApplicationFailure } from './failures.ts';
import type { CommitOutcome } from './host.ts';
import { upkeepLeft } from './result.ts';

// The activities as workflows call them: with their time limits and retries.

export const activities = proxyActivities<Activities>({
  // Leaves room for the longest Retry-After that is waited out, and for the merge of a large table.
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '15 seconds',
  // The SDK documents this as the default but behaves like TRY_CANCEL: a batch would still stage after the sweep.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  // The number of attempts is not limited: each attempt measures for how long nothing has worked.
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/** A quick run is tried once within its workflow task, because the task is held open meanwhile. */
const local = proxyLocalActivities<Pick<Activities, 'quickSync'>>({
  // The attempt itself ends its requests after five seconds; the rest is for staging and the commit. The server takes a
  // workflow task back after ten. If the destination hangs, the attempt is left behind, which is safe: the run's id
  // shows what it has committed.
  startToCloseTimeout: '8 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { maximumAttempts: 1 },
});

/**
 * Does a small run within the workflow task: six events instead of eleven, and one task instead of three. If that
 * fails and may succeed later, an activity tries again: it has retries, and the server shows its failure.
 */
export async function quickSyncLocally(input: PlanInput): Promise<QuickSynced> {
  try {
    return await local.quickSync(input);
  } catch (error) {
    if (isCancellation(error) || isFinal(error)) throw error;
    return activities.quickSync(input);
  }
}

/** Whether the step has failed in a way that no other attempt would change. */
function isFinal(error: unknown): boolean {
  // Unlike that of an activity, the failure of a local one comes without a wrapper.
  return error instanceof ApplicationFailure && error.nonRetryable === true;
}

/**
 * A failed upkeep must not fail a run: it is tried once, for a minute, and the next run's upkeep continues. A local
 * activity adds one event to the history and occupies no activity slot; most take a second or two.
 */
const upkeep = proxyLocalActivities<Pick<Activities, 'keepUp'>>({
  startToCloseTimeout: '1 minute',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { maximumAttempts: 1 },
});

/**
 * Does the table's upkeep if the commit left something to do. A failure does not reach the caller: the run is done.
 * @returns notes for the report.
 */
export async function keepUp(run: TableRun, outcome: CommitOutcome): Promise<string[]> {
  if (outcome.status !== 'committed' || outcome.upkeepSince === undefined) return [];
  // Runs made by workers that did not know upkeep ended here.
  if (!patched('keepUp')) return [];
  try {
    await upkeep.keepUp({ run, since: outcome.upkeepSince });
    return [];
  } catch (error) {
    const why = isCancellation(error) ? 'it was cancelled' : asApplicationFailure(error).message;
    return [upkeepLeft(why)];
  }
}

/**
 * Deletes what the run staged, even if the run was cancelled.
 * @returns what the run ends with: the cancellation or a failure. If the sweep fails as well, the failure names both.
 */
export async function sweep(run: TableRun, error: unknown): Promise<Error> {
  try {
    await CancellationScope.nonCancellable(() => activities.discardStaged({ run }));
    return error instanceof Error && isCancellation(error) ? error : asApplicationFailure(error);
  } catch (sweepError) {
    const first = asApplicationFailure(error);
    return ApplicationFailure.nonRetryable(
      `${first.message}; and what was staged could not be deleted: ${asApplicationFailure(sweepError).message}`,
      first.type,
      { advice: adviceOf(first) },
    );
  }
}
