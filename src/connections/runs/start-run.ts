import type { Client, WorkflowHandle } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common/lib/failure.js';
import { restartPolicy } from '../../../workflows/restart.ts';
import type { SyncTableInput } from '../../../workflows/contract.ts';
import type { syncTable } from '../../../workflows/sync-table.ts';
import { UsageError } from '../../errors.ts';
import { tableWorkflowId } from '../../temporal/names.ts';
import { cancelRun, describeRun } from './runs.ts';

/** A run in progress, and whether this process started it or took it up. */
export type StartedRun = {
  readonly table: string;
  readonly handle: WorkflowHandle<typeof syncTable>;
  /** `taken_up`: it was open with the same arguments · `replaced`: one with others was cancelled first. */
  readonly how: 'started' | 'taken_up' | 'replaced';
};

/**
 * Starts a table's run, or takes up the open one. Destination and table determine its workflow id, so at most one is
 * open. A worker must serve the queue, since it has to carry out a cancellation.
 *
 * Throws `UsageError` if the open run belongs to another account.
 */
export async function startRun(
  client: Client,
  taskQueue: string,
  destination: string,
  input: SyncTableInput,
): Promise<StartedRun> {
  const { table, account } = input.run;
  const workflowId = tableWorkflowId(destination, table);
  // The fields always have the same order, so equal arguments give equal text.
  const args = JSON.stringify(input);
  let how: StartedRun['how'] = 'started';
  for (;;) {
    const open = await openRun(client, workflowId);
    if (open?.arguments === args)
      return { table, how: 'taken_up', handle: client.workflow.getHandle(workflowId) };
    if (open) {
      assertSameAccount(open, { table, account, destination });
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
      // Another process was faster; continue with the run that is open now.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
}

/** An open run, with the arguments that its starter stored. */
type OpenRun = { readonly arguments: string | undefined };

function assertSameAccount(
  open: OpenRun,
  mine: { readonly table: string; readonly account: string; readonly destination: string },
): void {
  const { table, account, destination } = mine;
  const theirs =
    open.arguments === undefined ? 'unknown' : (JSON.parse(open.arguments) as SyncTableInput).run.account;
  if (theirs === account || theirs === 'unknown' || account === 'unknown') return;
  throw new UsageError(
    `${table}: a run for the account ${theirs} is in progress in ${destination}; the key belongs to ${account}.`,
    'Wait for that run, or use another destination.',
  );
}

/** `undefined` if no run is open under this id. */
async function openRun(client: Client, workflowId: string): Promise<OpenRun | undefined> {
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
