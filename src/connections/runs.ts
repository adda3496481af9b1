import {
  type Client,
  WorkflowContinuedAsNewError,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ActivityFailure, CancelledFailure } from '@temporalio/common';
import { UsageError } from '../errors.ts';
import { restartPolicy } from '../../workflows/restart.ts';
import { adviceOf, asApplicationFailure } from '../../workflows/failures.ts';
import type { SyncTableInput, TableOutcome, TableProgress } from '../../workflows/contract.ts';
import type { syncTable } from '../../workflows/sync-table.ts';
import { tableWorkflowId } from '../temporal/names.ts';

/** A run that is going on, and how this process came to it. */
export type StartedRun = {
  readonly table: string;
  readonly handle: WorkflowHandle<typeof syncTable>;
  /** `taken_up`: it was open with the same arguments · `replaced`: one with others was cancelled first. */
  readonly how: 'started' | 'taken_up' | 'replaced';
};

/**
 * Starts a table's run, or takes up the open one. Its workflow id is fixed by destination and table, so there is
 * one at most. A worker must serve the queue: it has to carry out a cancellation.
 *
 * Throws `UsageError` where the open run belongs to another account.
 */
export async function startRun(
  client: Client,
  taskQueue: string,
  destination: string,
  input: SyncTableInput,
): Promise<StartedRun> {
  const { table, account } = input.run;
  const workflowId = tableWorkflowId(destination, table);
  // In the order the workflow declares them, so equal arguments are equal texts.
  const args = JSON.stringify(input);
  let how: StartedRun['how'] = 'started';
  for (;;) {
    const open = await openRun(client, workflowId);
    if (open?.arguments === args)
      return { table, how: 'taken_up', handle: client.workflow.getHandle(workflowId) };
    if (open) {
      const other =
        open.arguments === undefined ? 'unknown' : (JSON.parse(open.arguments) as SyncTableInput).run.account;
      if (other !== account && other !== 'unknown' && account !== 'unknown') {
        throw new UsageError(
          `${table}: a run for the account ${other} is going on in ${destination}; the key belongs to ${account}.`,
          'Wait for that run, or use another destination.',
        );
      }
      how = 'replaced';
      await cancelRun(client, workflowId);
    }
    try {
      const handle = await client.workflow.start<typeof syncTable>('syncTable', {
        workflowId,
        taskQueue,
        args: [input],
        retry: restartPolicy,
        memo: { arguments: args },
      });
      return { table, how, handle };
    } catch (error) {
      // Somebody was faster; what is open now decides.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
}

/**
 * A run and what it continued as. Two runs that were triggered within a second have one workflow id, so a run of
 * a schedule is told by its first execution as well.
 */
export type Run = { readonly workflowId: string; readonly firstExecutionRunId?: string };

/** The newest execution of a run; `undefined` where the server knows it no longer. */
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

/** The run that is open under this id, with its arguments as its starter kept them; `undefined` where none is. */
async function openRun(
  client: Client,
  workflowId: string,
): Promise<{ arguments: string | undefined } | undefined> {
  const run = await describeRun(client, { workflowId });
  if (run?.status.name !== 'RUNNING') return undefined;
  const kept = run.memo?.['arguments'];
  return { arguments: typeof kept === 'string' ? kept : undefined };
}

/** Which of these tables have an open run outside schedules. */
export async function openTables(
  client: Client,
  destination: string,
  tables: readonly string[],
): Promise<string[]> {
  const open = await Promise.all(tables.map((table) => openRun(client, tableWorkflowId(destination, table))));
  return tables.filter((_, index) => open[index] !== undefined);
}

/** Cancels a run and waits until it has swept its staging; no error where it ended meanwhile. */
export async function cancelRun(client: Client, workflowId: string): Promise<void> {
  // What an execution continues or is begun anew as knows nothing of the cancellation, so it is looked at again.
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

/** How a run ended. `cancelled` is told apart, for nothing went wrong. */
export type RunOutcome = TableOutcome | { readonly table: string; readonly status: 'cancelled' };

/** Waits for a run, and for what it is begun anew as. */
export async function outcomeOf({
  table,
  handle,
}: Pick<StartedRun, 'table' | 'handle'>): Promise<RunOutcome> {
  try {
    return { table, status: 'synced', result: await handle.result() };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    if (isCancelled(error.cause)) return { table, status: 'cancelled' };
    const failure = asApplicationFailure(error.cause);
    const { type, message } = failure;
    return { table, status: 'failed', error: type ?? 'Error', message, advice: adviceOf(failure) };
  }
}

function isCancelled(cause: unknown): boolean {
  return cause instanceof CancelledFailure || (cause instanceof ActivityFailure && isCancelled(cause.cause));
}

/** Where a run stands, with what it is retrying, if anything. */
export type RunProgress = TableProgress & {
  readonly retrying?: { readonly attempt: number; readonly message: string };
};

/** Asks a run for its progress. Throws where no worker answers. */
export async function progressOf(handle: WorkflowHandle): Promise<RunProgress> {
  const [{ raw }, progress] = await Promise.all([handle.describe(), handle.query<TableProgress>('progress')]);
  const failing = (raw.pendingActivities ?? []).find(({ lastFailure }) => lastFailure);
  if (!failing) return progress;
  return {
    ...progress,
    retrying: { attempt: failing.attempt ?? 1, message: failing.lastFailure?.message ?? '' },
  };
}
