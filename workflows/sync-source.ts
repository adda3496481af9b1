import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
} from '@temporalio/workflow';
import type { SyncSourceInput, TableOutcome } from './contract.ts';
import { failureOfRun } from './failures.ts';
import { restartPolicy } from './restart.ts';
import { syncTable } from './sync-table.ts';

/**
 * "Import now": the tables side by side, each after its parent if it has one, and one report. If a table fails, the
 * workflow fails after the others are done, with type `TablesFailedError` and all outcomes in its details, so that no
 * failure passes for success.
 */
export async function syncSource({ tables }: SyncSourceInput): Promise<TableOutcome[]> {
  const named = new Map(tables.map((one) => [one.input.run.table, one]));
  const ends = new Map<Imported, Promise<TableOutcome>>();
  const ended = (one: Imported): Promise<TableOutcome> => {
    const before = one.after === undefined ? undefined : named.get(one.after);
    const end = ends.get(one) ?? (before ? ended(before).then(() => syncOne(one)) : syncOne(one));
    ends.set(one, end);
    return end;
  };
  const outcomes = await Promise.all(tables.map(ended));
  const failed = outcomes.filter(({ status }) => status === 'failed');
  if (failed.length > 0) {
    const names = failed.map(({ table }) => table).join(', ');
    throw ApplicationFailure.nonRetryable(
      `${failed.length} of ${outcomes.length} tables failed: ${names}`,
      'TablesFailedError',
      ...outcomes,
    );
  }
  return outcomes;
}

type Imported = SyncSourceInput['tables'][number];

/** Rejects only if the import itself is cancelled. */
async function syncOne({ workflowId, input }: Imported): Promise<TableOutcome> {
  const { table } = input.run;
  try {
    const result = await executeChild(syncTable, {
      workflowId,
      args: [input],
      retry: restartPolicy,
      // `sync` compares this with its own arguments to decide whether it may follow an open run.
      memo: { arguments: JSON.stringify(input) },
      // If the parent is terminated, its tables can still sweep their staging.
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    });
    return { table, status: 'synced', result };
  } catch (error) {
    if (isCancellation(error)) {
      if (CancellationScope.current().consideredCancelled) throw error;
      // Only this table's run was cancelled, which says nothing about the others.
      const advice = 'Run it again if that was not intended.';
      return {
        table,
        status: 'failed',
        error: 'CancelledFailure',
        message: 'its run was cancelled',
        advice,
      };
    }
    return { table, status: 'failed', ...failureOfRun(error) };
  }
}
