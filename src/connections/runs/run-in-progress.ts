import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { defined } from '../../defined.ts';
import { openRuns, progressIfAnswered } from './open-runs.ts';
import { describeRun, type Retrying, retryingOf, type Run, type RunProgress } from './runs.ts';
import { waitingForWorker } from './worker-wait.ts';

/** A run that has not ended. Times are RFC 3339, UTC. */
export type RunInProgress = {
  readonly workflowId: string;
  readonly started: string;
  /** What it is doing; without a responding worker, only what the server knows. */
  readonly phase: string;
  readonly workerAnswers: boolean;
  readonly rows?: number;
  readonly requests?: number;
  readonly windows?: { readonly open: number; readonly done: number };
  readonly retrying?: Retrying;
  /** When it continues; set while it waits because the API asked it to. */
  readonly waitingUntil?: string;
};

/** The same, with everything that the run itself reports. */
export type WatchedRun = RunInProgress &
  Pick<RunProgress, 'fullRead' | 'reason' | 'parents'> & { readonly bytes?: number };

/**
 * A table's runs that have not ended.
 * @param scheduled the runs of its schedule
 * @param byHand the workflow id of a run outside the schedule
 */
export async function runsInProgress(
  client: Client,
  scheduled: readonly Run[],
  byHand: string,
): Promise<RunInProgress[]> {
  const open = await openRuns(client, scheduled, byHand);
  const runs = await Promise.all(
    open.map(async (run) => {
      const [description, progress] = await Promise.all([
        describeRun(client, run),
        progressIfAnswered(client, run),
      ]);
      return description && (progress ? asItSays(description, progress) : asTheServerSays(description));
    }),
  );
  return runs.filter((run) => run !== undefined);
}

/** One run in full, for a page that watches it; `undefined` if it has ended. */
export async function watchedRun(client: Client, run: Run): Promise<WatchedRun | undefined> {
  const [description, progress] = await Promise.all([
    describeRun(client, run),
    progressIfAnswered(client, run),
  ]);
  if (description?.status.name !== 'RUNNING') return undefined;
  if (!progress) return asTheServerSays(description);
  const { fullRead, reason, parents, read } = progress;
  return {
    ...asItSays(description, progress),
    ...defined({ fullRead, reason, parents, bytes: read?.bytes }),
  };
}

function asItSays(description: WorkflowExecutionDescription, progress: RunProgress): RunInProgress {
  const { phase, read, windows, retrying, waitingUntil } = progress;
  return {
    ...baseOf(description),
    workerAnswers: true,
    phase,
    ...(read && { rows: read.rows, requests: read.requests }),
    ...defined({ windows, retrying, waitingUntil }),
  };
}

function asTheServerSays(description: WorkflowExecutionDescription): RunInProgress {
  const pending = description.raw.pendingActivities ?? [];
  const phases = new Set(
    pending.map(({ activityType }) => phaseByActivity[activityType?.name ?? ''] ?? 'working'),
  );
  const retrying = retryingOf(description);
  return {
    ...baseOf(description),
    workerAnswers: false,
    phase: phases.size > 0 ? [...phases].join(', ') : waitingForWorker,
    ...(retrying && { retrying }),
  };
}

function baseOf({ workflowId, startTime }: WorkflowExecutionDescription) {
  return { workflowId, started: startTime.toISOString() };
}

/** What a run does while this activity is in progress. */
const phaseByActivity: { readonly [activity: string]: string } = {
  quickSync: 'syncing',
  planSync: 'planning',
  extractBatch: 'reading',
  commitSync: 'committing',
  discardStaged: 'cleaning up',
};
