import type { Client } from '@temporalio/client';
import { ServiceError } from '@temporalio/client/lib/errors.js';
import { QueryNotRegisteredError } from '@temporalio/client/lib/workflow-client.js';
import { WorkflowNotFoundError } from '@temporalio/common/lib/errors.js';
import { describeRun, progressOf, type Run, type RunProgress } from './runs.ts';

/**
 * A table's runs that have not ended.
 * @param scheduled the runs of its schedule
 * @param byHand the workflow id of a run outside the schedule, if there may be one
 */
export async function openRuns(client: Client, scheduled: readonly Run[], byHand?: string): Promise<Run[]> {
  const runs = [...scheduled, ...(byHand === undefined ? [] : [{ workflowId: byHand }])];
  const open = await Promise.all(runs.map((run) => isOpen(client, run)));
  return runs.filter((_, index) => open[index]);
}

export async function isOpen(client: Client, run: Run): Promise<boolean> {
  return (await describeRun(client, run))?.status.name === 'RUNNING';
}

/** A worker that is there answers within milliseconds. */
const answerMs = 1_500;

/** The progress of a run; `undefined` if no worker answers in time, or if the run has ended. */
export async function progressIfAnswered(
  client: Client,
  { workflowId }: Run,
): Promise<RunProgress | undefined> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    return await client.withDeadline(Date.now() + answerMs, () => progressOf(handle));
  } catch (error) {
    const unanswered =
      error instanceof ServiceError ||
      error instanceof QueryNotRegisteredError ||
      error instanceof WorkflowNotFoundError;
    if (!unanswered) throw error;
    return undefined;
  }
}
