import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import {
  ServiceError,
  WorkflowContinuedAsNewError,
  WorkflowFailedError,
} from '@temporalio/client/lib/errors.js';
import { WorkflowNotFoundError } from '@temporalio/common/lib/errors.js';
import type { TableOutcome, TableProgress } from '../../../workflows/contract.ts';
import type { syncTable } from '../../../workflows/sync-table.ts';
import { defined } from '../../defined.ts';
import { tableOfRun } from '../../temporal/names.ts';
import { endOfFailed } from './run-end.ts';
import { waitingUntilOf } from './rate-limit-wait.ts';

/**
 * A run, including the executions that it continued as. Two runs triggered within a second have the same workflow id,
 * so a schedule's run is identified by its first execution as well.
 */
export type Run = { readonly workflowId: string; readonly firstExecutionRunId?: string };

/** The newest execution of a run; `undefined` if the server no longer knows it. */
export async function describeRun(
  client: Client,
  { workflowId, firstExecutionRunId }: Run,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    const newest = await client.workflow.getHandle(workflowId).describe();
    const first = newest.raw.workflowExecutionInfo?.firstRunId;
    if (firstExecutionRunId === undefined || first === firstExecutionRunId) return newest;
    return await client.workflow.getHandle(workflowId, firstExecutionRunId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Cancels a run and waits until it has deleted what it had staged. Not an error if it has ended in the meantime. */
export async function cancelRun(client: Client, workflowId: string): Promise<void> {
  // A retry or continued run does not inherit the cancellation, so look again.
  for (;;) {
    const open = await describeRun(client, { workflowId });
    if (open?.status.name !== 'RUNNING') return;
    const execution = client.workflow.getHandle(workflowId, open.runId, { followRuns: false });
    try {
      await execution.cancel();
      await execution.result();
    } catch (error) {
      const hasEnded =
        error instanceof WorkflowNotFoundError ||
        error instanceof WorkflowFailedError ||
        error instanceof WorkflowContinuedAsNewError;
      if (!hasEnded) throw error;
    }
  }
}

/** How a run ended. `cancelled` is not a failure. */
export type RunOutcome = TableOutcome | { readonly table: string; readonly status: 'cancelled' };

/** Waits for a run, following retries and continue-as-new. */
export async function outcomeOf({
  table,
  handle,
}: {
  readonly table: string;
  readonly handle: WorkflowHandle<typeof syncTable>;
}): Promise<RunOutcome> {
  try {
    return { table, status: 'synced', result: await handle.result() };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const end = endOfFailed(error);
    if (end.outcome === 'cancelled') return { table, status: 'cancelled' };
    return { table, status: 'failed', ...end.failure };
  }
}

/** The progress of a run, with what it is retrying and what it waits for. */
export type RunProgress = TableProgress & {
  readonly retrying?: Retrying;
  /** When the run continues (RFC 3339); set while it waits because the API asked it to. */
  readonly waitingUntil?: string;
};

export type Retrying = { readonly attempt: number; readonly message: string };

/** A worker that is between two steps of a run answers within milliseconds. */
const betweenStepsMs = 300;

/** Asks a run for its progress. Rejects if no worker responds. */
export async function progressOf(handle: WorkflowHandle): Promise<RunProgress> {
  const description = await handle.describe();
  const progress = await (isInTask(description) ? progressInTask(handle) : said(handle));
  const waits = { retrying: retryingOf(description), waitingUntil: waitingUntilOf(description) };
  return { ...progress, ...defined(waits) };
}

function said(handle: WorkflowHandle): Promise<TableProgress> {
  return handle.query<TableProgress>('progress');
}

/**
 * A run whose first step lasts within its workflow task answers only afterwards. That a worker has the task is an
 * answer too: the server takes it back after ten seconds if the worker is gone.
 */
async function progressInTask(handle: WorkflowHandle): Promise<TableProgress> {
  try {
    return await handle.client.withDeadline(Date.now() + betweenStepsMs, () => said(handle));
  } catch (error) {
    const table = tableOfRun(handle.workflowId);
    if (table === undefined || !(error instanceof ServiceError)) throw error;
    return { table, phase: 'reading', notes: [] };
  }
}

/** Whether a worker has the run's workflow task at this moment. */
function isInTask({ raw }: WorkflowExecutionDescription): boolean {
  return Boolean(raw.pendingWorkflowTask?.startedTime);
}

/** What a run is retrying; `undefined` if none of its steps has failed. */
export function retryingOf({ raw }: WorkflowExecutionDescription): Retrying | undefined {
  const failing = (raw.pendingActivities ?? []).find(({ lastFailure }) => lastFailure);
  return failing && { attempt: failing.attempt ?? 1, message: failing.lastFailure?.message ?? '' };
}
