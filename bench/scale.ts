import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { defaultTableSettings, type Settings, settingsVersion } from '../src/settings/settings.ts';
import { tableNamed } from '../src/tables/index.ts';
import { usualTables } from '../test/helpers/usual-tables.ts';
import { scheduleId } from '../src/temporal/names.ts';
import { desiredSchedules } from '../src/connections/schedule/schedule-options.ts';
import { type Figure, mib, tableOf } from './figures.ts';
import { type Asked, type SandboxProcess, startSandboxProcess } from './sandbox-process.ts';
import { smallAccount } from './small-account.ts';
import { usedBy } from './used-by.ts';
import { actionsOf, type MeasuredServer, startMeasuredServer } from './measured-server.ts';
import { startWorker, type WorkerProcess, writeSettingsFiles } from './worker-process.ts';

type Asking = {
  readonly connections: number;
  /** Seconds between two runs of a table. */
  readonly every: number;
  readonly minutes: number;
  /** Worker processes, which all serve all connections. */
  readonly processes: number;
  /** The tables of each connection. */
  readonly tables: readonly string[];
};

const pool = 'bench';

/** What everything together has used up to one moment. */
type Moment = {
  readonly at: number;
  readonly runs: number;
  readonly failed: number;
  readonly actions: { readonly [kind: string]: number };
  readonly requests: number;
  readonly database: number;
  readonly serverCpu: number;
  readonly workerCpu: number;
  readonly workerBytes: number;
  readonly tableBytes: number;
};

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
  const server = await startMeasuredServer(join(folder, 'temporal'));
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
  return {
    at: Date.now(),
    runs: await count('Completed'),
    failed: await count('Failed'),
    actions: actionsOf(await server.metrics()),
    requests: sum(Object.values(paths)),
    database: await bytesBelow(join(folder, 'temporal')),
    serverCpu: (await usedBy(server.pid)).cpuSeconds,
    workerCpu: sum(used.map(({ cpuSeconds }) => cpuSeconds)),
    workerBytes: sum(used.map(({ bytes }) => bytes)),
    tableBytes: await bytesBelow(connections[0]!.destination),
  };
}

async function settingsOf(
  folder: string,
  index: number,
  key: string,
  baseUrl: string,
  { every, tables }: Asking,
): Promise<Settings> {
  const place = join(folder, `connection-${index}`);
  const destination = join(place, 'warehouse');
  await mkdir(destination, { recursive: true });
  const file = join(place, 'key');
  await writeFile(file, key, { mode: 0o600 });
  return {
    version: settingsVersion,
    retention: '7d',
    connection: `bench-${index}`,
    apiKey: { file },
    baseUrl,
    destination,
    pool,
    tables: Object.fromEntries(
      tables.map((table) => [
        table,
        { ...defaultTableSettings(tableNamed(table)), every: `${every}s` as const },
      ]),
    ),
  };
}

function figuresOf(
  { connections, every, processes, tables }: Asking,
  idle: Moment,
  first: Moment,
  last: Moment,
): Figure[] {
  const seconds = (last.at - first.at) / 1_000;
  const runs = last.runs - first.runs;
  const due = (connections * tables.length) / every;
  const each = (of: (moment: Moment) => number) => (of(last) - of(first)) / runs;
  return [
    {
      what: 'runs per second',
      measured: (runs / seconds).toFixed(1),
      reach: due.toFixed(1),
      ratio: runs / seconds / due,
    },
    { what: 'failed runs', measured: String(last.failed) },
    {
      what: 'memory of the workers before the first run',
      measured: `${mib(idle.workerBytes)} in ${processes} processes, ${mib(idle.workerBytes / connections)} per connection`,
    },
    {
      what: 'memory of the workers',
      measured: `${mib(last.workerBytes)}, ${mib(last.workerBytes / connections)} per connection`,
    },
    {
      what: 'CPU time of the workers',
      measured: `${(each(({ workerCpu }) => workerCpu) * 1_000).toFixed(0)} ms per run, ${((last.workerCpu - first.workerCpu) / seconds).toFixed(2)} cores`,
    },
    {
      what: 'CPU time of the Temporal server',
      measured: `${(each(({ serverCpu }) => serverCpu) * 1_000).toFixed(0)} ms per run, ${((last.serverCpu - first.serverCpu) / seconds).toFixed(2)} cores`,
    },
    {
      what: 'actions, as the server counts them',
      measured: `${each(({ actions }) => sum(Object.values(actions))).toFixed(1)} per run`,
    },
    ...Object.keys(last.actions)
      .map((kind) => ({ kind, share: each(({ actions }) => actions[kind] ?? 0) }))
      .filter(({ share }) => share > 0)
      .map(({ kind, share }) => ({ what: `… of which ${kind}`, measured: share.toFixed(2) })),
    {
      what: 'growth of the Temporal database',
      measured: `${(each(({ database }) => database) / 1_024).toFixed(1)} KiB per run`,
    },
    {
      what: 'growth of one connection’s tables',
      measured: `${((last.tableBytes - first.tableBytes) / (runs / connections) / 1_024).toFixed(1)} KiB per run`,
    },
    { what: 'requests to the API', measured: `${each(({ requests }) => requests).toFixed(2)} per run` },
  ];
}

function pathFigures(before: Asked, after: Asked, syncs: number): Figure[] {
  return Object.entries(after.paths)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, count]) => ({
      what: `GET ${path}`,
      measured: `${((count - (before.paths[path] ?? 0)) / syncs).toFixed(2)} per sync of all tables`,
    }));
}

/** Milliseconds, over the last two hundred completed runs. */
async function lastDurations(client: Client): Promise<{ median: number; most: number; longest: number }> {
  const taken: number[] = [];
  for await (const { startTime, closeTime } of client.workflow.list({
    query: `WorkflowType='syncTable' AND ExecutionStatus='Completed'`,
    pageSize: 200,
  })) {
    taken.push(closeTime!.getTime() - startTime.getTime());
    if (taken.length === 200) break;
  }
  taken.sort((a, b) => a - b);
  return {
    median: taken[Math.floor(taken.length / 2)]!,
    most: taken[Math.floor(taken.length * 0.95)]!,
    longest: taken.at(-1)!,
  };
}

/** The size of the newest run's history, for each table of a connection. */
async function historiesOf(client: Client, { connection, tables }: Settings): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [table, { syncMethod }] of Object.entries(tables)) {
    const query = `TemporalScheduledById='${scheduleId(connection, table)}' AND ExecutionStatus='Completed'`;
    for await (const { historyLength, historySize } of client.workflow.list({ query, pageSize: 1 })) {
      figures.push({
        what: `history of ${table}, ${syncMethod}`,
        measured: `${historyLength} events, ${(historySize! / 1_024).toFixed(1)} KiB`,
      });
      break;
    }
  }
  return figures;
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

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

const say = (line: string) => process.stderr.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10' },
    every: { type: 'string', default: '60' },
    minutes: { type: 'string', default: '2' },
    processes: { type: 'string', default: '1' },
    tables: { type: 'string', default: usualTables.join(',') },
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
const figures = await scale({ connections, every, minutes, processes, tables });
console.log(
  `\n${connections} connections × ${tables.length} tables every ${every} s for ${minutes} minutes, ${processes} worker processes\n`,
);
console.log(tableOf(figures));
