import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common/lib/errors.js';
import type { Settings } from '../../settings/settings.ts';
import type { Table } from '../../tables/table.ts';
import { scheduleId, tableWorkflowId } from '../../temporal/names.ts';
import { isOpen, openRuns, progressIfAnswered } from './open-runs.ts';
import { describeRun, type Run } from './runs.ts';
import { bufferedIn, describeSchedule, runningIn } from '../schedule/schedule-lookup.ts';

/** What happened to a table's open runs, as workflow ids. */
export type Cancelled = {
  /** These have ended and deleted what they had staged. */
  readonly ended: readonly string[];
  /** No worker responds for these: they end, and delete what they staged, once one does. */
  readonly unanswered: readonly string[];
};

/** How often to ask whether a worker is still there, since it may be in the middle of a merge. */
const patienceMs = 5_000;
const lookEveryMs = 200;

/**
 * Cancels a table's open runs, those of its schedule and the one outside it, and a trigger that waits for them to
 * end. Resolves once they have deleted what they had staged.
 */
export async function cancelTable(
  client: Client,
  { scheduleId, workflowId }: { readonly scheduleId: string; readonly workflowId: string },
  interrupt: AbortSignal,
): Promise<Cancelled> {
  // Its own signal: Node warns of a leak when more than ten listeners, one per table here, wait for the same one.
  const signal = AbortSignal.any([interrupt]);
  const ended: string[] = [];
  for (;;) {
    signal.throwIfAborted();
    const schedule = await describeSchedule(client, scheduleId);
    const open = await openRuns(client, runningIn(schedule), workflowId);
    if (open.length === 0 && (!schedule || bufferedIn(schedule) === 0)) return { ended, unanswered: [] };
    const answered = await Promise.all(open.map((run) => cancelAndWait(client, run, signal)));
    ended.push(...open.filter((_, index) => answered[index]).map(({ workflowId }) => workflowId));
    const unanswered = open.filter((_, index) => !answered[index]).map(({ workflowId }) => workflowId);
    if (unanswered.length > 0) return { ended, unanswered };
    // The server starts a buffered run a moment after the one before it has ended.
    if (open.length === 0) await sleep(lookEveryMs, undefined, { signal });
  }
}

/** Cancels the runs of several tables, all at once, so that none continues for long. */
export function cancelTables(
  client: Client,
  { connection, destination }: Settings,
  tables: readonly Table[],
  signal: AbortSignal,
): Promise<({ readonly table: string } & Cancelled)[]> {
  return Promise.all(
    tables.map(async ({ name: table }) => {
      const ids = {
        scheduleId: scheduleId(connection, table),
        workflowId: tableWorkflowId(destination, table),
      };
      return { table, ...(await cancelTable(client, ids, signal)) };
    }),
  );
}

/** Whether it ended; `false` if no worker responds for it. */
async function cancelAndWait(client: Client, run: Run, signal: AbortSignal): Promise<boolean> {
  let cancelled: string | undefined;
  let answeredAt = Date.now();
  for (;;) {
    const newest = await describeRun(client, run);
    if (newest?.status.name !== 'RUNNING') return true;
    // A retry or continued run does not inherit the cancellation.
    if (newest.runId !== cancelled) await cancelExecution(client, newest);
    cancelled = newest.runId;
    await sleep(lookEveryMs, undefined, { signal });
    if (Date.now() - answeredAt < patienceMs) continue;
    if ((await progressIfAnswered(client, run)) === undefined && (await isOpen(client, run))) return false;
    answeredAt = Date.now();
  }
}

/** Not an error if it has ended in the meantime. */
async function cancelExecution(
  client: Client,
  { workflowId, runId }: Pick<WorkflowExecutionDescription, 'workflowId' | 'runId'>,
): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId, runId).cancel();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
