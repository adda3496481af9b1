/**
 * A small pipeline platform that uses this package as a plugin. It shows the source's form, checks the key that the
 * user typed in, schedules a few tables, runs a worker for them, and counts the rows that arrived.
 *
 * In your own project, import from 'incident-io-source' and 'incident-io-source/worker' instead of '../src'.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Client, type ScheduleHandle, ScheduleOverlapPolicy } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { DuckDBInstance } from '@duckdb/node-api';
import {
  createIncidentIoSource,
  type FieldValues,
  SourceRegistry,
  type SyncTableResult,
  type SyncTarget,
  type WarehouseSource,
} from '../src/index.ts';
import { openStore, tableFiles } from '../src/worker.ts';
import { inSurroundings, type Surroundings } from './surroundings.ts';

const chosen = ['severities', 'incidents', 'escalations', 'users'];

export async function runPlatform(surroundings: Surroundings): Promise<void> {
  const { baseUrl, destination, temporalAddress, say } = surroundings;
  const registry = new SourceRegistry();
  // Without a base URL this is the same as `incidentIoSource`, the source for incident.io itself.
  registry.register(createIncidentIoSource(baseUrl === undefined ? {} : { baseUrl }));
  const source = registry.get('incident_io');

  showForm(source, say);
  const values = { api_key: surroundings.apiKey };
  const check = await source.validateCredentials(values);
  if (!check.valid) throw new Error(`${check.message}\n${check.advice}`);
  say(`The key belongs to ${check.account}.`);
  await showTables(source, values, say);

  // The key stays in the platform's vault. Workflows only carry its id there, because histories are readable.
  const vault = new Map([['connection-1', surroundings.apiKey]]);
  const target = { apiKey: { vault: 'connection-1' }, destination, account: check.account };

  const connection = await NativeConnection.connect({ address: temporalAddress });
  const client = new Client({ connection });
  const { worker, close } = await source.createWorker({
    connection,
    namespace: 'default',
    destination,
    vault: async (id) => vault.get(id),
    ...(surroundings.workflowBundle && { workflowBundle: surroundings.workflowBundle }),
  });
  try {
    await worker.runUntil(async () => {
      const schedules = await Promise.all(chosen.map((table) => schedule(client, source, target, table)));
      try {
        const synced = await Promise.all(schedules.map((made) => follow(client, source, made, say)));
        for (const table of synced.flat()) say(`${table}: ${await countRows(destination, table)}`);
      } finally {
        await Promise.all(schedules.map(({ handle }) => unschedule(client, handle)));
      }
    });
  } finally {
    await close();
    await connection.close();
  }
}

function showForm({ config }: WarehouseSource, say: Surroundings['say']): void {
  say(`${config.label} (${config.releaseStatus})\n${config.caption}\n${config.docsUrl}\n`);
  for (const field of config.fields) say(`${field.label}: ${field.secret ? '********' : field.placeholder}`);
}

/** Shows the tables a user can choose: the default sync method and frequency, and the scope the key lacks, if any. */
async function showTables(
  source: WarehouseSource,
  values: FieldValues,
  say: Surroundings['say'],
): Promise<void> {
  const permissions = await source.getTablePermissions(values);
  for (const { name, defaults } of source.getTables()) {
    const permission = permissions.find(({ table }) => table === name);
    const missing = permission?.allowed === false ? `, needs ${permission.scope ?? permission.message}` : '';
    say(`  ${name}: ${defaults.syncMethod} every ${defaults.every}${missing}`);
  }
}

type Scheduled = { readonly table: string; readonly handle: ScheduleHandle };

/** Creates one schedule per table, so that each table has its own frequency and none waits for another. */
async function schedule(
  client: Client,
  source: WarehouseSource,
  target: SyncTarget,
  table: string,
): Promise<Scheduled> {
  const handle = await client.schedule.create({
    scheduleId: `platform:${target.destination}:${table}`,
    // Short, for a demonstration. A real platform offers `frequencies` and preselects the table's default.
    spec: { intervals: [{ every: '3 seconds' }] },
    action: { type: 'startWorkflow', ...source.syncTable(target, { table }) },
    // With the default of a year, an outage would be followed by every single run that it missed.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
  });
  return { table, handle };
}

/**
 * Follows two runs of a schedule and reports each. If a run fails in a way that only a person can fix, pauses the
 * schedule with the advice as its note and returns an empty list; otherwise returns the table's name.
 */
async function follow(
  client: Client,
  source: WarehouseSource,
  { table, handle }: Scheduled,
  say: Surroundings['say'],
): Promise<string[]> {
  const seen = new Set<string>();
  while (seen.size < 2) {
    const workflowId = await nextRun(handle, seen);
    seen.add(workflowId);
    try {
      const result = (await client.workflow.getHandle(workflowId).result()) as SyncTableResult;
      say(`${table}: synced (${result.reason}), ${result.rows} rows in version ${result.version}`);
    } catch (error) {
      const { message, advice, retry } = source.describeError(error);
      say(`${table}: failed, ${message}\n  → ${advice}`);
      if (retry === 'later') continue;
      await handle.pause(advice);
      return [];
    }
  }
  return [table];
}

/** Waits for a run of the schedule that is not in `seen`; returns its workflow id. */
async function nextRun(handle: ScheduleHandle, seen: ReadonlySet<string>): Promise<string> {
  for (;;) {
    const { info } = await handle.describe();
    for (const { action } of info.recentActions) {
      if (!seen.has(action.workflow.workflowId)) return action.workflow.workflowId;
    }
    await sleep(200);
  }
}

/** Deletes a schedule and cancels its run, if there is one. A cancelled run first deletes what it staged. */
async function unschedule(client: Client, handle: ScheduleHandle): Promise<void> {
  await handle.pause();
  const { info } = await handle.describe();
  for (const { workflow } of info.runningActions) {
    const run = client.workflow.getHandle(workflow.workflowId);
    await run.cancel();
    await Promise.allSettled([run.result()]);
  }
  await handle.delete();
}

async function countRows(destination: string, table: string): Promise<string> {
  const store = await openStore(destination);
  const { keys, sql } = await tableFiles(store, table);
  return store.withLocal(async (local) => rowsIn(sql(await local.paths(keys))));
}

async function rowsIn(sql: string): Promise<string> {
  const duckDb = await DuckDBInstance.create();
  const connection = await duckDb.connect();
  try {
    const reader = await connection.runAndReadAll(`SELECT count(*), max(_synced_at) FROM (${sql})`);
    const [[rows, syncedAt] = []] = reader.getRows();
    return `${String(rows)} rows, the last one written at ${String(syncedAt)}`;
  } finally {
    connection.closeSync();
    duckDb.closeSync();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  // Temporal's worker logs each failed attempt as a warning; the platform reports how each run ended instead.
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  await inSurroundings(process.env, runPlatform);
}
