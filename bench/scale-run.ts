import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { Settings } from '../src/settings/settings.ts';
import { dueFigures, dueRate, dueRuns, historyFigures } from './due-runs.ts';
import { type Figure, mib } from './figures.ts';
import { type Asking, figuresOf, type Moment, pathFigures, sum } from './scale-figures.ts';
import { countRuns, setUp } from './scale-setup.ts';
import { type SandboxProcess, startSandboxProcess } from './sandbox-process.ts';
import { pool, settingsOf } from './pool-settings.ts';
import { smallAccount } from './small-account.ts';
import { usedBy, usedByFamily } from './used-by.ts';
import { actionsOf, foreignServer, type MeasuredServer, startMeasuredServer } from './measured-server.ts';
import { startWorker, type WorkerProcess, writeSettingsFiles } from './worker-process.ts';

/** Everything that runs during the benchmark. */
type Fleet = {
  readonly folder: string;
  readonly sandbox: SandboxProcess;
  readonly server: MeasuredServer;
  readonly client: Client;
  readonly connections: readonly Settings[];
  readonly workers: readonly WorkerProcess[];
};

/** Runs connections for some minutes: one schedule per table, each connection with a destination of its own, one pool. */
export async function scale(asking: Asking): Promise<Figure[]> {
  const { connections, processes } = asking;
  const folder = await mkdtemp(join(tmpdir(), 'bench-scale-'));
  const until = new Date().toISOString();
  const sandbox = await startSandboxProcess({ limits: 'off', sizes: smallAccount, until }, connections);
  const server = asking.server
    ? foreignServer(asking.server)
    : await startMeasuredServer(join(folder, 'temporal'));
  const connection = await Connection.connect({ address: server.address });
  const client = new Client({ connection });
  const all = await Promise.all(
    sandbox.keys.map((key, index) => settingsOf(folder, index, key, sandbox.url, asking)),
  );
  const files = join(folder, 'connections');
  await writeSettingsFiles(files, all);
  const args = ['--settings', files, '--pool', pool];
  const workers = await Promise.all(
    Array.from({ length: processes }, () => startWorker(args, { TEMPORAL_ADDRESS: server.address })),
  );
  const fleet: Fleet = { folder, sandbox, server, client, connections: all, workers };
  try {
    return await measure(fleet, asking);
  } finally {
    for (const { stop } of workers) stop();
    await Promise.all(workers.map(({ ended }) => ended));
    await connection.close();
    await server.stop();
    sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(fleet: Fleet, asking: Asking): Promise<Figure[]> {
  const { client, sandbox, connections } = fleet;
  const idle = await momentOf(fleet);
  await setUp(client, connections, asking, say);
  const [first, asked] = [await momentOf(fleet), await sandbox.asked()];
  const last = await lastMoment(fleet, asking, first);
  const askedThen = await sandbox.asked();
  const due = await dueRuns(client, connections, { from: first.at, to: last.at });
  return [
    ...dueFigures(due),
    ...figuresOf(asking, dueRate(connections), { idle, first, last }),
    ...historyFigures(due, connections[0]!),
    // At different frequencies, tables are not synced together.
    ...(asking.every === 'default'
      ? []
      : pathFigures(asked, askedThen, (last.runs - first.runs) / asking.tables.length)),
  ];
}

/** Says each minute how things are, and returns the moment when the time is over. */
async function lastMoment(fleet: Fleet, { minutes }: Asking, first: Moment): Promise<Moment> {
  const rate = dueRate(fleet.connections);
  for (let minute = 1; ; minute += 1) {
    const passed = Math.min(minute, minutes);
    await sleep(first.at + passed * 60_000 - Date.now());
    const now = await momentOf(fleet);
    const memory = [now.workerBytes, now.serverBytes, now.databaseUse?.bytes ?? 0].map(mib).join(', ');
    say(
      `after ${passed} minutes: ${now.runs - first.runs} runs completed of about ${(rate * passed * 60).toFixed(0)}, ${now.open} open, ${now.failed} failed; memory of worker, server, database: ${memory}`,
    );
    if (passed === minutes) return now;
  }
}

async function momentOf({ folder, sandbox, server, client, connections, workers }: Fleet): Promise<Moment> {
  const { paths } = await sandbox.asked();
  const used = await Promise.all(workers.map(({ pid }) => usedBy(pid)));
  const usedByServer = await usedBy(server.pid);
  return {
    at: Date.now(),
    runs: await countRuns(client, 'Completed'),
    failed: await countRuns(client, 'Failed'),
    open: await countRuns(client, 'Running'),
    actions: actionsOf(await server.metrics()),
    requests: sum(Object.values(paths)),
    database: server.databasePid === undefined ? await bytesBelow(join(folder, 'temporal')) : 0,
    serverCpu: usedByServer.cpuSeconds,
    serverBytes: usedByServer.bytes,
    databaseUse: server.databasePid === undefined ? undefined : await usedByFamily(server.databasePid),
    workerCpu: sum(used.map(({ cpuSeconds }) => cpuSeconds)),
    workerBytes: sum(used.map(({ bytes }) => bytes)),
    tableBytes: await bytesBelow(connections[0]!.destination),
  };
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    // Staged files are deleted when the run ends; a file that is gone by now counts as 0.
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('_staging'))
    .map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return sum(await Promise.all(sizes));
}

const say = (line: string) => process.stderr.write(`${line}\n`);
