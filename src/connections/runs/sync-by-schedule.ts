import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ScheduleDescription } from '@temporalio/client';
import type { syncTable } from '../../../workflows/sync-table.ts';
import { followProgress, type OnProgress } from './follow-progress.ts';
import { outcomeOf, type Run, type RunOutcome } from './runs.ts';
import { runningIn, scheduleOf } from '../schedule/schedule-lookup.ts';
import { type Triggered, triggerTable } from '../schedule/trigger.ts';

/** How a command follows the runs that it has schedules start. */
export type ScheduleWatcher = {
  readonly onTriggered: (table: string, triggered: Triggered) => void;
  readonly onProgress: OnProgress;
  readonly onOutcome: (outcome: RunOutcome) => void;
  /** Ends the waiting. The runs continue, since others may count on them. */
  readonly interrupt: AbortSignal;
};

/** Not more often: the server replays a schedule each time it is described. */
const lookEveryMs = 500;

/**
 * Triggers schedules and, for each, waits for the first run that starts from now on. A table's failure does not stop
 * the others. Rejects with the reason of `interrupt`.
 */
export async function syncBySchedule(
  client: Client,
  schedules: readonly { readonly table: string; readonly description: ScheduleDescription }[],
  { onTriggered, onProgress, onOutcome, interrupt }: ScheduleWatcher,
): Promise<RunOutcome[]> {
  const open = new Set<ReturnType<typeof asked>>();
  const done = new AbortController();
  const waiting = AbortSignal.any([interrupt, done.signal]);
  // Node warns of a leak when more than ten listeners, one per table here, wait for the same signal.
  setMaxListeners(0, waiting);
  const all = schedules.map(async ({ table, description }) => {
    const before = runningIn(description).map((run) => asked(client, run));
    for (const run of before) open.add(run);
    onTriggered(table, await triggerTable(client, description));
    const { workflowId, firstExecutionRunId } = await nextRun(client, description, waiting);
    for (const run of before) open.delete(run);
    const current = asked(client, { workflowId });
    open.add(current);
    const handle = client.workflow.getHandle<typeof syncTable>(workflowId, firstExecutionRunId);
    const outcome = await outcomeOf({ table, handle });
    open.delete(current);
    onOutcome(outcome);
    return outcome;
  });
  const interrupted = new Promise<never>((_, reject) => {
    const stop = () => reject(interrupt.reason as Error);
    if (interrupt.aborted) stop();
    else interrupt.addEventListener('abort', stop, { once: true, signal: done.signal });
  });
  const following = followProgress(open, onProgress, done.signal);
  try {
    return await Promise.race([Promise.all(all), interrupted]);
  } finally {
    done.abort();
    await following;
  }
}

/** By workflow id alone, so that executions which the run continues as are asked too. */
function asked(client: Client, { workflowId }: Run) {
  return { handle: client.workflow.getHandle<typeof syncTable>(workflowId) };
}

/** Waits for the first run of a schedule that its description does not list yet. */
async function nextRun(
  client: Client,
  description: ScheduleDescription,
  signal: AbortSignal,
): Promise<Required<Run>> {
  for (;;) {
    signal.throwIfAborted();
    const next = await runBegunSince(client, description);
    if (next) return next;
    await sleep(lookEveryMs, undefined, { signal });
  }
}

/** The first run of a schedule that an earlier description of it does not list; `undefined` if none has begun. */
export async function runBegunSince(
  client: Client,
  { scheduleId, info }: ScheduleDescription,
): Promise<Required<Run> | undefined> {
  const before = new Set(info.recentActions.map(({ action }) => action.workflow.firstExecutionRunId));
  const { recentActions } = (await scheduleOf(client, scheduleId)).info;
  return recentActions.find(({ action }) => !before.has(action.workflow.firstExecutionRunId))?.action
    .workflow;
}
