import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
} from '@temporalio/workflow';
import { beginAnew } from './begin-anew.ts';
import { adviceOf, asApplicationFailure } from './failures.ts';
import { syncTable, type SyncTableInput, type SyncTableResult } from './sync-table.ts';

export type SyncSourceInput = {
  /** One run a table, each under the workflow id that is fixed by its destination and table. */
  readonly tables: readonly { readonly workflowId: string; readonly input: SyncTableInput }[];
};

/** What became of one table. */
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

/**
 * "Import now": the tables side by side, and one report. Where a table failed the workflow fails, after the
 * others are done, with type `TablesFailedError` and all outcomes in its details: no failure passes for success.
 */
export async function syncSource({ tables }: SyncSourceInput): Promise<TableOutcome[]> {
  const outcomes = await Promise.all(
    tables.map(async ({ workflowId, input }): Promise<TableOutcome> => {
      const { table } = input.run;
      try {
        const result = await executeChild(syncTable, {
          workflowId,
          args: [input],
          retry: beginAnew,
          // By these `sync` knows a run that it may take up.
          memo: { arguments: JSON.stringify(input) },
          // A parent that is terminated still lets its tables sweep their staging.
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
          cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        });
        return { table, status: 'synced', result };
      } catch (error) {
        if (isCancellation(error)) {
          if (CancellationScope.current().consideredCancelled) throw error;
          // Somebody cancelled this table's run alone, which is no word on the others.
          const advice = 'Run it again if that was not meant.';
          return {
            table,
            status: 'failed',
            error: 'CancelledFailure',
            message: 'its run was cancelled',
            advice,
          };
        }
        const failure = asApplicationFailure(error);
        const { type, message } = failure;
        return { table, status: 'failed', error: type ?? 'Error', message, advice: adviceOf(failure) };
      }
    }),
  );
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
