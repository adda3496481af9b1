import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { desiredSchedules, type SyncSchedule } from '../src/connections/schedule/schedule-options.ts';
import { intervalMs, type Settings } from '../src/settings/settings.ts';
import type { Asking } from './scale-figures.ts';
import { seed } from './seeding.ts';

/** How many schedules are created at the same time. */
const atOnce = 20;

type Say = (line: string) => void;

/** Counts runs of all connections, by a status as the server names it. */
export async function countRuns(client: Client, status: string): Promise<number> {
  return (await client.workflow.count(`WorkflowType='syncTable' AND ExecutionStatus='${status}'`)).count;
}

/**
 * Creates the schedules, and waits until the runs that they will start are quiet ones: those of connections that have
 * run before.
 */
export async function setUp(
  client: Client,
  connections: readonly Settings[],
  asking: Asking,
  say: Say,
): Promise<void> {
  if (asking.seeded) {
    await seed(client, connections);
    say('synced the first connection, copied its tables to the others');
    await scheduleSeeded(client, connections, say);
    return;
  }
  await create(client, connections.flatMap(schedulesOf), say);
  // The first run of a table reads everything, so it does not count. With one table, all have had it after an interval.
  const runsEach = asking.tables.length > 1 ? 2 : 1;
  await completed(client, runsEach * connections.length * asking.tables.length, say);
}

/**
 * A run asks the one before whether the nested tables are up to date, and the first run of a schedule checks them instead.
 * So the tables that are synced most often have a run first. Of the others, few are due while it is measured.
 */
async function scheduleSeeded(
  client: Client,
  [first, ...others]: readonly Settings[],
  say: Say,
): Promise<void> {
  const schedules = others.flatMap(schedulesOf);
  const before = schedulesOf(first!).length;
  const leastMs = Math.min(...schedules.map(({ everyMs }) => everyMs));
  const often = schedules.filter(({ everyMs }) => everyMs === leastMs);
  await create(client, often, say, before);
  const allHaveRun = Date.now() + leastMs;
  const seldom = schedules.filter(({ everyMs }) => everyMs > leastMs);
  await create(client, seldom, say, before + often.length);
  const left = Math.max(0, allHaveRun - Date.now());
  say(`the last first runs of schedules are due in ${(left / 1_000).toFixed(0)} s`);
  await sleep(left);
}

type Wanted = { readonly options: SyncSchedule; readonly everyMs: number };

function schedulesOf(settings: Settings): Wanted[] {
  return desiredSchedules(settings, 'unknown').map(({ table, options }) => ({
    options,
    everyMs: intervalMs(settings.tables[table]!.every),
  }));
}

/**
 * Creates schedules, and waits until they work: the server answers before that, and does not make up for the runs that
 * are due in between.
 * @param before how many there are already
 */
async function create(client: Client, schedules: readonly Wanted[], say: Say, before = 0): Promise<void> {
  const began = Date.now();
  const took = () => `${((Date.now() - began) / 1_000).toFixed(0)} s`;
  const left = [...schedules];
  const createNext = async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      await client.schedule.create(next.options);
      const created = schedules.length - left.length;
      if (created % 1_000 === 0) say(`${created} of ${schedules.length} schedules created, ${took()}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, createNext));
  // A schedule sets this when it begins to work.
  const query = "TemporalNamespaceDivision='TemporalScheduler' AND TemporalSchedulePaused=false";
  for (;;) {
    const working = (await client.workflow.count(query)).count - before;
    say(`${working} of ${schedules.length} schedules work, ${took()}`);
    if (working >= schedules.length) return;
    await sleep(2_000);
  }
}

async function completed(client: Client, wanted: number, say: Say): Promise<void> {
  for (const giveUpAt = Date.now() + 20 * 60_000; ;) {
    const runs = await countRuns(client, 'Completed');
    say(`${runs} of ${wanted} runs completed, ${await countRuns(client, 'Failed')} failed`);
    if (runs >= wanted || Date.now() > giveUpAt) break;
    await sleep(5_000);
  }
}
