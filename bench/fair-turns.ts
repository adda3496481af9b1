import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { desiredSchedules } from '../src/connections/schedule/schedule-options.ts';
import type { Settings } from '../src/settings/settings.ts';
import { type Figure, mib, quantile } from './figures.ts';
import { startMeasuredServer } from './measured-server.ts';
import { pool, settingsOf } from './pool-settings.ts';
import { startSandboxProcess } from './sandbox-process.ts';
import { smallAccount } from './small-account.ts';
import { usedBy } from './used-by.ts';
import { startWorker, writeSettingsFiles } from './worker-process.ts';

const connections = 20;
const tables = ['alerts', 'users', 'schedules'];
/** Seconds between two runs of a table. */
const every = 15;
/** How long quiet runs are measured alone. */
const aloneMs = 60_000;
/** At the API's speed, which the worker keeps to, they take two and a half minutes; a million would take a quarter of an hour. */
const rowsOfLarge = 200_000;

/** How long quiet runs take alone, and while the same worker reads a large account for the first time. */
export async function fairTurns(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-turns-'));
  const until = new Date().toISOString();
  const small = await startSandboxProcess({ limits: 'off', sizes: smallAccount, until }, connections);
  const large = await startSandboxProcess({ limits: 'off', sizes: { alerts: rowsOfLarge }, until });
  const server = await startMeasuredServer(join(folder, 'temporal'));
  const connection = await Connection.connect({ address: server.address });
  const client = new Client({ connection });
  const quiet = await Promise.all(
    small.keys.map((key, index) => settingsOf(folder, index, key, small.url, { every, tables })),
  );
  const first = await settingsOf(folder, 'large', large.keys[0]!, large.url, {
    every: 3_600,
    tables: ['alerts'],
  });
  const files = join(folder, 'connections');
  await writeSettingsFiles(files, [...quiet, first]);
  const worker = await startWorker(['--settings', files, '--pool', pool], {
    TEMPORAL_ADDRESS: server.address,
  });
  try {
    await schedule(client, quiet);
    // Each table's first run reads everything.
    await sleep(2 * every * 1_000);
    const alone = await durationsIn(client, () => sleep(aloneMs));
    const next = await durationsIn(client, () => firstSync(client, first));
    return [
      { what: `${alone.count} quiet runs alone`, measured: said(alone) },
      {
        what: `${next.count} quiet runs during a first sync of ${rowsOfLarge} alerts`,
        measured: said(next),
        reach: '95 % ≤ twice as long',
        ratio: next.most / alone.most / 2,
      },
      { what: 'the first sync', measured: `${next.seconds.toFixed(0)} s` },
      { what: 'peak memory of the worker', measured: mib((await usedBy(worker.pid)).peakBytes) },
    ];
  } finally {
    worker.stop();
    await worker.ended;
    await connection.close();
    await server.stop();
    small.stop();
    large.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function schedule(client: Client, all: readonly Settings[]): Promise<void> {
  for (const settings of all) {
    for (const { options } of desiredSchedules(settings, 'unknown')) await client.schedule.create(options);
  }
}

async function firstSync(client: Client, settings: Settings): Promise<void> {
  await schedule(client, [settings]);
  const query = `WorkflowId STARTS_WITH 'incident_io:${settings.connection}:' AND ExecutionStatus='Completed'`;
  const [desired] = desiredSchedules(settings, 'unknown');
  await client.schedule.getHandle(desired!.options.scheduleId).trigger();
  while ((await client.workflow.count(query)).count === 0) await sleep(500);
}

type Durations = {
  readonly count: number;
  /** Milliseconds. */
  readonly median: number;
  readonly most: number;
  readonly seconds: number;
};

/** How long the runs of the quiet connections took that started while `work` lasted. */
async function durationsIn(client: Client, work: () => Promise<void>): Promise<Durations> {
  const since = new Date();
  await work();
  const seconds = (Date.now() - since.getTime()) / 1_000;
  const taken: number[] = [];
  const query = `WorkflowType='syncTable' AND ExecutionStatus='Completed' AND StartTime >= '${since.toISOString()}'`;
  for await (const { workflowId, startTime, closeTime } of client.workflow.list({ query })) {
    if (!workflowId.includes('bench-large')) taken.push(closeTime!.getTime() - startTime.getTime());
  }
  return { count: taken.length, median: quantile(taken, 0.5), most: quantile(taken, 0.95), seconds };
}

function said({ median, most }: Durations): string {
  return `median ${median} ms, 95 % within ${most} ms`;
}
