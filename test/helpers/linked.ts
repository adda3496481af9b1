import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Client,
  type ScheduleExecutionStartWorkflowActionResult,
  type ScheduleHandle,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { expect, onTestFinished } from 'vitest';
import type { Activities } from '../../activities/contract.ts';
import { createActivities } from '../../activities/index.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { type Settings, settingsVersion, type TableSettings } from '../../src/settings/settings.ts';
import { tableNamed } from '../../src/tables/index.ts';
import { nestedIn } from '../../src/tables/nested/index.ts';
import { scheduleId, workerQueue } from '../../src/temporal/names.ts';
import { desiredSchedules } from '../../src/connections/schedule/schedule-options.ts';
import { createWorker } from '../../src/serving/create-worker.ts';
import { openDestination } from '../../src/warehouse/open-warehouse.ts';
import type { Warehouse } from '../../src/warehouse/warehouse.ts';
import type { SyncTableResult } from '../../workflows/contract.ts';
import type { syncTable } from '../../workflows/sync-table.ts';
import { destinationAt } from './bucket.ts';
import { temporaryFolder } from './sync.ts';
import { type TestTemporal, unique } from './temporal.ts';

/** A connection with schedules on the tests' server; they and its folder are deleted after the test. */
export type Linked = {
  readonly settings: Settings;
  /** The folder of the settings, and of the tables below it. */
  readonly folder: string;
  /** Path of the settings. */
  readonly file: string;
  /** Folder of the tables; for a bucket, the folder that holds its objects. */
  readonly destination: string;
  readonly warehouse: Warehouse;
  schedule(table: string): ScheduleHandle;
  /** Creates the table's schedule, or deletes and recreates it. It is paused: only the test starts runs. */
  link(table: string, settings: TableSettings, paused?: boolean): Promise<void>;
  /** Triggers the table, waits for the run that follows, and returns its result or throws its failure. */
  run(table: string): Promise<SyncTableResult>;
  /** Serves the connection's queue while `work` lasts. */
  serving<T>(work: () => Promise<T>, replaced?: (own: Activities) => Partial<Activities>): Promise<T>;
};

export async function link(
  { client, connection, namespace, workflowBundle }: TestTemporal,
  sandbox: Sandbox,
  tables: { readonly [table: string]: TableSettings },
  tablesIn?: string,
): Promise<Linked> {
  const folder = await temporaryFolder();
  const tablesFolder = tablesIn ?? join(folder, 'warehouse');
  const destination = destinationAt(tablesFolder);
  const name = unique('connection');
  const variable = unique('KEY').replaceAll('-', '_');
  process.env[variable] = sandbox.key;
  const entries: { [table: string]: TableSettings } = {};
  const settings: Settings = {
    version: settingsVersion,
    connection: name,
    apiKey: { env: variable },
    baseUrl: sandbox.url,
    destination,
    // A queue of its own: other tests on this host would otherwise take its runs.
    pool: name,
    retention: '7d',
    tables: entries,
  };
  const file = join(folder, 'incident-io.json');
  const warehouse = await openDestination(destination);

  const linked: Linked = {
    settings,
    folder,
    file,
    destination: tablesFolder,
    warehouse,
    schedule: (table) => client.schedule.getHandle(scheduleId(name, table)),
    async link(table, entry, paused = true) {
      // Tests about something else than nested tables end sooner without them.
      entries[table] = { ...(nestedIn(table).length > 0 && { nested: false }), ...entry };
      await writeFile(file, JSON.stringify(settings));
      await deleteSchedule(linked.schedule(table));
      const desired = desiredSchedules(settings, 'unknown').find((one) => one.table === table)!;
      await client.schedule.create({ ...desired.options, state: { paused } });
    },
    async run(table) {
      const schedule = linked.schedule(table);
      const { numActionsTaken } = (await schedule.describe()).info;
      await schedule.trigger(ScheduleOverlapPolicy.BUFFER_ONE);
      return resultOf(client, await startedAfter(schedule, numActionsTaken));
    },
    async serving(work, replaced) {
      const own = createActivities({ tableNamed, warehouse });
      const activities = replaced ? stepByStep({ ...own, ...replaced(own) }) : own;
      const taskQueue = workerQueue(settings);
      const worker = await createWorker({ connection, namespace, taskQueue, activities, workflowBundle });
      return worker.runUntil(work);
    },
  };
  onTestFinished(async () => {
    for (const table of Object.keys(entries)) await deleteSchedule(linked.schedule(table));
    await warehouse.close();
    Reflect.deleteProperty(process.env, variable);
  });
  for (const [table, entry] of Object.entries(tables)) await linked.link(table, entry);
  return linked;
}

/** The same activities, with no run done in one step: a step that a test replaces is then called. */
function stepByStep(activities: Activities): Activities {
  return {
    ...activities,
    quickSync: async (asked) => ({ plan: await activities.planSync(asked), batches: [] }),
  };
}

async function deleteSchedule(schedule: ScheduleHandle): Promise<void> {
  try {
    await schedule.delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

/** A run of a schedule; two that were triggered within a second have the same workflow id. */
export type ScheduledRun = ScheduleExecutionStartWorkflowActionResult['workflow'];

/** The schedule's newest run, once it has started more than this many. */
export async function startedAfter(schedule: ScheduleHandle, actions: number): Promise<ScheduledRun> {
  let newest: ScheduledRun | undefined;
  const look = async () => {
    const { info } = await schedule.describe();
    newest = info.numActionsTaken > actions ? info.recentActions.at(-1)?.action.workflow : undefined;
    return newest;
  };
  await expect.poll(look, { timeout: 120_000, interval: 50 }).toBeDefined();
  return newest!;
}

/** Waits until the run has ended. */
export function resultOf(client: Client, run: ScheduledRun): Promise<SyncTableResult> {
  return client.workflow.getHandle<typeof syncTable>(run.workflowId, run.firstExecutionRunId).result();
}
