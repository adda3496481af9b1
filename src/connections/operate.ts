import {
  type Client,
  QueryNotRegisteredError,
  type ScheduleDescription,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  ServiceError,
  type WorkflowExecutionDescription,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../errors.ts';
import { describeRun, progressOf, type Run, type RunProgress } from './runs.ts';

/** The schedule as the server has it now; `undefined` where there is none. */
export async function describeSchedule(client: Client, id: string): Promise<ScheduleDescription | undefined> {
  try {
    return await client.schedule.getHandle(id).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** The same, where it has to exist. Throws `UsageError`. */
export async function scheduleOf(client: Client, id: string, table: string): Promise<ScheduleDescription> {
  const schedule = await describeSchedule(client, id);
  if (schedule) return schedule;
  throw new UsageError(
    `${table} has no schedule (${id}) on this Temporal server.`,
    'Run apply, which makes the schedules be what the settings say.',
  );
}

/** Triggers that wait for a run to end; a schedule keeps one at most. */
export function bufferedIn({ raw }: ScheduleDescription): number {
  return Number(raw.info?.bufferSize ?? 0);
}

/** The runs that a schedule takes to be going on; its list may still hold one that has ended. */
export function runningIn(schedule: ScheduleDescription | undefined): Run[] {
  return schedule?.info.runningActions.map(({ workflow }) => workflow) ?? [];
}

/**
 * A table's runs that have not ended: those of its schedule, and the one that was started outside of it under this
 * workflow id.
 */
export async function openRuns(client: Client, scheduled: readonly Run[], byHand?: string): Promise<Run[]> {
  const runs = [...scheduled, ...(byHand === undefined ? [] : [{ workflowId: byHand }])];
  const open = await Promise.all(runs.map((run) => isOpen(client, run)));
  return runs.filter((_, index) => open[index]);
}

async function isOpen(client: Client, run: Run): Promise<boolean> {
  return (await describeRun(client, run))?.status.name === 'RUNNING';
}

/** `buffered`: a run is going on and another follows it · `buffered_before`: one was waiting already. */
export type Triggered = 'started' | 'buffered' | 'buffered_before';

/** Has a table synced now, or once the run that is going on has ended. */
export async function triggerTable(client: Client, schedule: ScheduleDescription): Promise<Triggered> {
  const open = await openRuns(client, runningIn(schedule));
  // The default would run it beside the other one, and its result would reach no later run.
  await client.schedule.getHandle(schedule.scheduleId).trigger(ScheduleOverlapPolicy.BUFFER_ONE);
  if (open.length === 0) return 'started';
  return bufferedIn(schedule) > 0 ? 'buffered_before' : 'buffered';
}

/** A worker that is there answers within milliseconds. */
const answerMs = 1_500;

/** Where a run stands; `undefined` where no worker answers in time, or the run has ended. */
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

/** What became of the open runs of a table; workflow ids. */
export type Cancelled = {
  /** They have ended and swept their staging. */
  readonly ended: readonly string[];
  /** No worker answers for them: they end, and sweep, once one does. */
  readonly unanswered: readonly string[];
};

/** A worker may be in the middle of a merge; every so often it is asked whether it is still there. */
const patienceMs = 5_000;
const lookEveryMs = 200;

/**
 * Cancels a table's open runs, those of its schedule and the one outside of it, and a trigger that waits for them
 * to end. Comes back when they have swept their staging.
 */
export async function cancelTable(
  client: Client,
  { scheduleId, workflowId }: { readonly scheduleId: string; readonly workflowId: string },
  signal: AbortSignal,
): Promise<Cancelled> {
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

/** Whether it ended; `false` where no worker answers for it. */
async function cancelAndWait(client: Client, run: Run, signal: AbortSignal): Promise<boolean> {
  let cancelled: string | undefined;
  let answeredAt = Date.now();
  for (;;) {
    const newest = await describeRun(client, run);
    if (newest?.status.name !== 'RUNNING') return true;
    // What a run continues or is begun anew as knows nothing of the cancellation.
    if (newest.runId !== cancelled) await cancelExecution(client, newest);
    cancelled = newest.runId;
    await sleep(lookEveryMs, undefined, { signal });
    if (Date.now() - answeredAt < patienceMs) continue;
    if ((await progressIfAnswered(client, run)) === undefined && (await isOpen(client, run))) return false;
    answeredAt = Date.now();
  }
}

/** No error where it ended meanwhile. */
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
