import type { Client } from '@temporalio/client';
import type { Run } from './runs.ts';
import type { ScheduleFacts } from '../schedule/schedule-facts.ts';

/** A run of a table's schedule, as the schedule or the server's index of runs remembers it. */
export type KnownRun = Run & {
  readonly takenAt: Date;
  /** `temporal.api.enums.v1.WorkflowExecutionStatus`, as of when it was recorded. */
  readonly status: number;
};

/** As many as a schedule itself remembers. */
const mostRuns = 10;
const runningStatus = 1;

/**
 * The latest runs of a table's schedule, oldest first, and those of them that may be in progress. A schedule's own
 * record lacks a run if the server stopped right after it was triggered, and those of an earlier schedule of the same
 * id; the server's index of runs has them.
 */
export async function knownRuns(
  client: Client,
  scheduleId: string,
  schedule: Pick<ScheduleFacts, 'actions' | 'running'> | undefined,
): Promise<{ readonly runs: readonly KnownRun[]; readonly running: readonly Run[] }> {
  const { actions, running } = schedule ?? { actions: [], running: [] };
  const recorded = new Set([...actions, ...running].map(({ workflowId }) => workflowId));
  const indexed = await indexedRuns(client, scheduleId);
  const unrecorded = indexed.filter(({ workflowId }) => !recorded.has(workflowId));
  return {
    runs: [...actions, ...unrecorded].sort((a, b) => a.takenAt.getTime() - b.takenAt.getTime()),
    running: [...running, ...unrecorded.filter(({ status }) => status === runningStatus)],
  };
}

/** Newest executions first; of a run that continued as new, only the last one. */
async function indexedRuns(client: Client, scheduleId: string): Promise<KnownRun[]> {
  const { executions } = await client.workflowService.listWorkflowExecutions({
    namespace: client.options.namespace,
    pageSize: mostRuns,
    query: `TemporalScheduledById = "${scheduleId}" AND ExecutionStatus != "ContinuedAsNew"`,
  });
  return executions.flatMap(({ execution, startTime, status }) => {
    if (typeof execution?.workflowId !== 'string') return [];
    const takenAt = new Date(Number(startTime?.seconds ?? 0) * 1_000);
    return [{ workflowId: execution.workflowId, takenAt, status: status ?? 0 }];
  });
}
