import type { Client } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client/lib/errors.js';
import { WorkflowNotFoundError } from '@temporalio/common/lib/errors.js';
import type { SyncTableResult } from '../../../workflows/contract.ts';
import type { syncTable } from '../../../workflows/sync-table.ts';
import type { Failure } from '../../failure.ts';
import { endOfFailed } from './run-end.ts';
import { describeRun } from './runs.ts';
import type { KnownRun } from './known-runs.ts';

/** A run that has ended. Times are RFC 3339, UTC. */
export type EndedRun = {
  readonly workflowId: string;
  readonly started: string;
  readonly ended?: string;
  readonly outcome: 'synced' | 'failed' | 'cancelled' | 'terminated' | 'timed_out' | 'unknown';
  readonly result?: SyncTableResult;
  readonly failure?: Failure;
};

/** By `temporal.api.enums.v1.WorkflowExecutionStatus`; `undefined` for a run that has not ended. */
export const outcomeByStatus: readonly (EndedRun['outcome'] | undefined)[] = [
  /* unspecified */ 'unknown',
  /* running */ undefined,
  /* completed */ 'synced',
  /* failed */ 'failed',
  /* canceled */ 'cancelled',
  /* terminated */ 'terminated',
  /* continued as new */ 'unknown',
  /* timed out */ 'timed_out',
];

/**
 * The newest run that has ended, and the newest that succeeded.
 * @param known oldest first
 */
export async function lastRuns(
  client: Client,
  known: readonly KnownRun[],
): Promise<{ lastRun?: EndedRun; lastSuccess?: EndedRun }> {
  let lastRun: EndedRun | undefined;
  for (const each of known.toReversed()) {
    const run = await endedRun(client, each);
    if (!run) continue;
    lastRun ??= run;
    if (run.outcome === 'synced') return { lastRun, lastSuccess: run };
  }
  return lastRun ? { lastRun } : {};
}

/** `undefined` for a run that has not ended. */
async function endedRun(
  client: Client,
  { takenAt, status, ...run }: KnownRun,
): Promise<EndedRun | undefined> {
  const base = { workflowId: run.workflowId, started: takenAt.toISOString() };
  const description = await describeRun(client, run);
  if (description?.status.name === 'RUNNING') return undefined;
  const { closeTime } = description ?? {};
  const end = description && (await endOf(client, run.workflowId, run.firstExecutionRunId));
  if (end) return { ...base, ...(closeTime && { ended: closeTime.toISOString() }), ...end };
  // Its history has expired; the schedule, or the server's index, still records how it ended.
  const outcome = outcomeByStatus[status];
  return outcome && { ...base, outcome };
}

/**
 * How a run ended; `undefined` if its history has expired in the meantime.
 * @param runId one of its executions; what that one continued as is followed
 */
export async function endOf(
  client: Client,
  workflowId: string,
  runId: string | undefined,
): Promise<Pick<EndedRun, 'outcome' | 'result' | 'failure'> | undefined> {
  try {
    const handle = client.workflow.getHandle<typeof syncTable>(workflowId, runId);
    return { outcome: 'synced', result: await handle.result() };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    if (!(error instanceof WorkflowFailedError)) throw error;
    return endOfFailed(error);
  }
}
