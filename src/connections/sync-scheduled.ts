import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ScheduleDescription } from '@temporalio/client';
import type { syncTable } from '../../workflows/sync-table.ts';
import { outcomeOf, type Run, type RunOutcome, type StartedRun } from './runs.ts';
import { runningIn, scheduleOf } from './schedule-lookup.ts';
import { watch, type Watcher } from './sync-tables.ts';
import { type Triggered, triggerTable } from './trigger.ts';

/** How a command follows the runs that it has schedules start. */
export type ScheduledWatcher = Pick<Watcher, 'onProgress' | 'onOutcome'> & {
  readonly onTriggered: (table: string, triggered: Triggered) => void;
  /** Ends the waiting. The runs go on: others may count on them. */
  readonly interrupt: AbortSignal;
};

/** The server replays a schedule whenever it is described. */
const lookEveryMs = 500;

/**
 * Triggers schedules and waits for the first run of each that starts from now on. One failure stops no other.
 * Rejects with the reason of `interrupt`.
 */
export async function syncScheduled(
  client: Client,
  schedules: readonly { readonly table: string; readonly description: ScheduleDescription }[],
  { onTriggered, onProgress, onOutcome, interrupt }: ScheduledWatcher,
): Promise<RunOutcome[]> {
  const going = new Set<Pick<StartedRun, 'handle'>>();
  const all = schedules.map(async ({ table, description }) => {
    // What a run continues as has the same id, and is asked by that alone.
    const askedOf = ({ workflowId }: Run) => ({
      handle: client.workflow.getHandle<typeof syncTable>(workflowId),
    });
    const before = runningIn(description).map(askedOf);
    for (const asked of before) going.add(asked);
    onTriggered(table, await triggerTable(client, description));
    const { workflowId, firstExecutionRunId } = await nextRun(client, description, interrupt);
    for (const asked of before) going.delete(asked);
    const asked = askedOf({ workflowId });
    going.add(asked);
    const handle = client.workflow.getHandle<typeof syncTable>(workflowId, firstExecutionRunId);
    const outcome = await outcomeOf({ table, handle });
    going.delete(asked);
    onOutcome(outcome);
    return outcome;
  });
  const done = new AbortController();
  const interrupted = new Promise<never>((_, reject) => {
    const stop = () => reject(interrupt.reason as Error);
    if (interrupt.aborted) stop();
    else interrupt.addEventListener('abort', stop, { once: true, signal: done.signal });
  });
  const watching = watch(going, onProgress, done.signal);
  try {
    return await Promise.race([Promise.all(all), interrupted]);
  } finally {
    done.abort();
    await watching;
  }
}

/** The first run of a schedule that is not in this description of it yet. */
async function nextRun(
  client: Client,
  { scheduleId, info }: ScheduleDescription,
  signal: AbortSignal,
): Promise<Required<Run>> {
  const before = new Set(info.recentActions.map(({ action }) => action.workflow.firstExecutionRunId));
  for (;;) {
    signal.throwIfAborted();
    const { recentActions } = (await scheduleOf(client, scheduleId)).info;
    const next = recentActions.find(({ action }) => !before.has(action.workflow.firstExecutionRunId));
    if (next) return next.action.workflow;
    await sleep(lookEveryMs, undefined, { signal });
  }
}
