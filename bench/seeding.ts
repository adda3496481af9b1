import { link, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, ScheduleOverlapPolicy } from '@temporalio/client';
import { desiredSchedules } from '../src/connections/schedule/schedule-options.ts';
import type { Settings } from '../src/settings/settings.ts';
import { stagingFolder } from '../src/warehouse/store/store.ts';

/** Every tenth version of a table gets a checkpoint, so tables that are used are at ten different places between two. */
const places = 10;
/** After these runs the tables are at rest, and have a first checkpoint. */
const runsBefore = 10;

/** A run that is triggered otherwise does not count as the schedule's last one: the next does not get its result. */
const overlap = ScheduleOverlapPolicy.SKIP;

/**
 * Syncs the tables of the first connection through its schedules, and gives copies of them to all others, each as of one
 * of the last ten runs. The accounts of all have to be the same: a table holds the name of its account.
 */
export async function seed(client: Client, [first, ...others]: readonly Settings[]): Promise<void> {
  const desired = desiredSchedules(first!, 'unknown');
  for (const { options } of desired) {
    // Nothing but these runs may write while the tables are copied.
    await client.schedule.create({ ...options, state: { ...options.state, paused: true } });
  }
  for (let run = 1; run <= runsBefore + places; run += 1) {
    for (const { options } of desired) await client.schedule.getHandle(options.scheduleId).trigger(overlap);
    await completed(client, first!, run * desired.length);
    if (run <= runsBefore) continue;
    for (const [index, { destination }] of others.entries()) {
      if (index % places === run % places) await linkAll(first!.destination, destination);
    }
  }
  for (const { options } of desired) await client.schedule.getHandle(options.scheduleId).unpause();
}

async function completed(client: Client, { connection }: Settings, wanted: number): Promise<void> {
  const count = async (status: string) =>
    (
      await client.workflow.count(
        `WorkflowId STARTS_WITH 'incident_io:${connection}:' AND ExecutionStatus='${status}'`,
      )
    ).count;
  while ((await count('Completed')) < wanted) {
    if ((await count('Failed')) > 0)
      throw new Error(`A run of ${connection} failed, so nothing can be copied.`);
    await sleep(100);
  }
}

/**
 * Gives all files of a folder second names in another one. Files of a destination are never changed: they are replaced
 * by others or deleted, which leaves the second name alone. Only what is staged is written in place.
 */
async function linkAll(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, copy] = [join(from, entry.name), join(to, entry.name)];
    if (entry.name === stagingFolder) continue;
    if (entry.isDirectory()) await linkAll(source, copy);
    else await link(source, copy);
  }
}
