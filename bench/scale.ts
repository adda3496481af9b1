import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import type { Settings } from '../src/settings/settings.ts';
import { usualTables } from '../test/helpers/usual-tables.ts';
import { desiredSchedules } from '../src/connections/schedule/schedule-options.ts';
import { type Figure, tableOf } from './figures.ts';
import {
  type Asking,
  figuresOf,
  historiesOf,
  lastDurations,
  type Moment,
  pathFigures,
  sum,
} from './scale-figures.ts';
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
async function scale(asking: Asking): Promise<Figure[]> {
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
  let made = 0;
  await inTurn(connections, 20, async (settings) => {
    for (const { options } of desiredSchedules(settings, 'unknown')) await client.schedule.create(options);
    made += 1;
    if (made % 100 === 0) say(`created the schedules of ${made} connections`);
  });
  // The first run of a table reads everything, so it does not count. With one table, all have had it after an interval.
  const wanted = (asking.tables.length > 1 ? 2 : 1) * connections.length * asking.tables.length;
  for (const giveUpAt = Date.now() + 20 * 60_000; ;) {
    const { runs, failed } = await momentOf(fleet);
    say(`${runs} of ${wanted} runs completed, ${failed} failed`);
    if (runs >= wanted || Date.now() > giveUpAt) break;
    await sleep(Math.min(10_000, asking.every * 1_000));
  }
  const [first, asked] = [await momentOf(fleet), await sandbox.asked()];
  await sleep(asking.minutes * 60_000);
  const [last, askedThen] = [await momentOf(fleet), await sandbox.asked()];
  const durations = await lastDurations(client);
  return [
    ...figuresOf(asking, idle, first, last),
    {
      what: 'from start to end of a run, the wait for a worker included',
      measured: `median ${durations.median} ms, 95th percentile ${durations.most} ms, longest ${durations.longest} ms`,
    },
    ...(await historiesOf(client, connections[0]!)),
    ...pathFigures(asked, askedThen, (last.runs - first.runs) / asking.tables.length),
  ];
}

async function momentOf({ folder, sandbox, server, client, connections, workers }: Fleet): Promise<Moment> {
  const count = async (status: string) =>
    (await client.workflow.count(`WorkflowType='syncTable' AND ExecutionStatus='${status}'`)).count;
  const { paths } = await sandbox.asked();
  const used = await Promise.all(workers.map(({ pid }) => usedBy(pid)));
  const usedByServer = await usedBy(server.pid);
  return {
    at: Date.now(),
    runs: await count('Completed'),
    failed: await count('Failed'),
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

async function inTurn<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
    }),
  );
}

const say = (line: string) => process.stderr.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10' },
    every: { type: 'string', default: '60' },
    minutes: { type: 'string', default: '2' },
    processes: { type: 'string', default: '1' },
    tables: { type: 'string', default: usualTables.join(',') },
    server: { type: 'string' },
  },
});
const [connections, every, minutes, processes] = [
  values.connections,
  values.every,
  values.minutes,
  values.processes,
].map(Number) as [number, number, number, number];
if (![connections, every, minutes, processes].every((value) => value > 0)) {
  console.error('--connections, --every (seconds), --minutes and --processes must be greater than 0.');
  process.exit(2);
}
const tables = values.tables.split(',');
const figures = await scale({ connections, every, minutes, processes, tables, server: values.server });
console.log(
  `\n${connections} connections × ${tables.length} tables every ${every} s for ${minutes} minutes, ${processes} worker processes\n`,
);
console.log(tableOf(figures));
