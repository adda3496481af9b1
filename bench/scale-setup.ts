import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { desiredSchedules, type SyncSchedule } from '../src/connections/schedule/schedule-options.ts';
import { intervalMs, type Settings } from '../src/settings/settings.ts';
import type { Asking } from './scale-figures.ts';
import { runsOfSchedule, seed } from './seeding.ts';

/** How many schedules are created at the same time. */
const atOnce = 20;
/** How many lots of schedules are created and run at the same time. */
const lots = 4;
/** Schedules of a lot. */
const lotSize = 10;

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
    await scheduleSeeded(client, connections.slice(1), asking.minutes * 60_000, say);
    await schedulesStarted(client, connections.length * asking.tables.length, say);
    return;
  }
  await create(
    client,
    schedulesOf(connections, () => true),
    say,
  );
  // The first run of a table reads everything, so it does not count. With one table, all have had it after an interval.
  const runsEach = asking.tables.length > 1 ? 2 : 1;
  await completed(client, runsEach * connections.length * asking.tables.length, say);
}

/**
 * A run asks the one before whether the nested tables are up to date, and the first of a schedule checks them instead.
 * So every schedule that is due while it is measured has a run first. Of the others, few are due at all.
 */
async function scheduleSeeded(
  client: Client,
  connections: readonly Settings[],
  measuredMs: number,
  say: Say,
): Promise<void> {
  const isSoon = (everyMs: number) => everyMs <= measuredMs;
  await createAndRun(client, schedulesOf(connections, isSoon), say);
  await create(
    client,
    schedulesOf(connections, (everyMs) => !isSoon(everyMs)),
    say,
  );
}

/**
 * Creates schedules and has each run once, a few at a time: a thousand runs at the same time would leave the worker with
 * more memory than it needs for those that are due.
 */
async function createAndRun(client: Client, schedules: readonly SyncSchedule[], say: Say): Promise<void> {
  const began = Date.now();
  let run = 0;
  const left = [...schedules];
  const runNext = async () => {
    for (let some = left.splice(0, lotSize); some.length > 0; some = left.splice(0, lotSize)) {
      await Promise.all(
        some.map(async (options) => {
          const handle = await client.schedule.create(options);
          await handle.trigger(runsOfSchedule);
        }),
      );
      const ids = some.map(({ scheduleId }) => `'${scheduleId}'`).join(', ');
      const query = `TemporalScheduledById IN (${ids}) AND ExecutionStatus!='Running'`;
      while ((await client.workflow.count(query)).count < some.length) await sleep(200);
      run += some.length;
      if (run % 500 === 0) say(`${run} of ${schedules.length} schedules created and run, ${since(began)}`);
    }
  };
  await Promise.all(Array.from({ length: lots }, runNext));
}

function schedulesOf(connections: readonly Settings[], wanted: (everyMs: number) => boolean): SyncSchedule[] {
  return connections.flatMap((settings) =>
    desiredSchedules(settings, 'unknown')
      .filter(({ table }) => wanted(intervalMs(settings.tables[table]!.every)))
      .map(({ options }) => options),
  );
}

async function create(client: Client, schedules: readonly SyncSchedule[], say: Say): Promise<void> {
  const began = Date.now();
  let created = 0;
  const left = [...schedules];
  const createNext = async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      await client.schedule.create(next);
      created += 1;
      if (created % 1_000 === 0) say(`${created} of ${schedules.length} schedules created, ${since(began)}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, createNext));
}

/** The server answers before a schedule works, and forgets the runs that were due in between. */
async function schedulesStarted(client: Client, wanted: number, say: Say): Promise<void> {
  // A schedule sets this when it begins to work.
  const query = "TemporalNamespaceDivision='TemporalScheduler' AND TemporalSchedulePaused=false";
  for (;;) {
    const { count } = await client.workflow.count(query);
    say(`${count} of ${wanted} schedules work`);
    if (count >= wanted) return;
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

function since(began: number): string {
  return `${((Date.now() - began) / 1_000).toFixed(0)} s`;
}
