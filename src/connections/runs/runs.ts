import {
  type Client,
  WorkflowContinuedAsNewError,
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { TableOutcome, TableProgress } from '../../../workflows/contract.ts';
import type { syncTable } from '../../../workflows/sync-table.ts';
import { defined } from '../../defined.ts';
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

/** Asks a run for its progress. Rejects if no worker responds. */
export async function progressOf(handle: WorkflowHandle): Promise<RunProgress> {
  const [description, progress] = await Promise.all([
    handle.describe(),
    handle.query<TableProgress>('progress'),
  ]);
  const waits = { retrying: retryingOf(description), waitingUntil: waitingUntilOf(description) };
  return { ...progress, ...defined(waits) };
}

/** What a run is retrying; `undefined` if none of its steps has failed. */
export function retryingOf({ raw }: WorkflowExecutionDescription): Retrying | undefined {
  const failing = (raw.pendingActivities ?? []).find(({ lastFailure }) => lastFailure);
  return failing && { attempt: failing.attempt ?? 1, message: failing.lastFailure?.message ?? '' };
}
