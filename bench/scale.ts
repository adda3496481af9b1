import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { defaultTableSettings, type Settings, settingsVersion } from '../src/settings/settings.ts';
import { tables } from '../src/tables/index.ts';
import { scheduleId } from '../src/temporal/names.ts';
import { desiredSchedules } from '../src/connections/schedules.ts';
import { quietRuntime } from '../src/serving/serve.ts';
import type { SourceWorker } from '../src/plugin/warehouse-source.ts';
import { createSourceWorker } from '../src/worker.ts';
import { type Figure, mib, tableOf } from './figures.ts';
import { type Asked, startSandboxProcess } from './sandbox-process.ts';
import { smallAccount } from './small-account.ts';
import { usedBy } from './used-by.ts';
import { actionsOf, startMeasuredServer } from './measured-server.ts';

type Asking = {
  readonly connections: number;
  /** Seconds between two runs of a table. */
  readonly every: number;
  readonly minutes: number;
  /** Among which the connections are shared out. */
  readonly processes: number;
};

/** What the whole had used at one moment. */
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

/** Connections with a schedule a table, each with a destination, a queue and a worker of its own, for some minutes. */
async function scale({ connections, every, minutes, processes }: Asking): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-scale-'));
  const until = new Date().toISOString();
  const sandbox = await startSandboxProcess({ limits: 'off', sizes: smallAccount, until }, connections);
  const server = await startMeasuredServer(join(folder, 'temporal'));
  const connection = await Connection.connect({ address: server.address });
  const client = new Client({ connection });
  const all = await Promise.all(
    sandbox.keys.map((key, index) => settingsOf(folder, index, key, sandbox.url, every)),
  );
  const shares = Array.from({ length: processes }, (_, process) =>
    all.filter((_, index) => index % processes === process).map(({ destination }) => destination),
  );
  const workers = await Promise.all(shares.map((share) => startWorkers(server.address, share)));
  try {
    const moment = async (): Promise<Moment> => {
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
        tableBytes: await bytesBelow(all[0]!.destination),
      };
    };
    const idle = await moment();
    let made = 0;
    await inTurn(all, 20, async (settings) => {
      for (const { options } of desiredSchedules(settings, 'unknown')) await client.schedule.create(options);
      made += 1;
      if (made % 100 === 0) say(`schedules of ${made} connections are made`);
    });
    const wanted = connections * tables.length;
    // Every table twice: the first run reads everything.
    for (const giveUpAt = Date.now() + 20 * 60_000; ;) {
      const { runs, failed } = await moment();
      say(`${runs} runs have ended, ${failed} failed; ${2 * wanted} are waited for`);
      if (runs >= 2 * wanted || Date.now() > giveUpAt) break;
      await sleep(Math.min(10_000, every * 1_000));
    }
    const [first, asked] = [await moment(), await sandbox.asked()];
    await sleep(minutes * 60_000);
    const [last, askedThen] = [await moment(), await sandbox.asked()];
    const durations = await lastDurations(client);
    const histories = await historiesOf(client, all[0]!);
    return [
      ...figuresOf({ connections, every, minutes, processes }, idle, first, last),
      {
        what: 'a run, from start to end',
        measured: `median ${durations.median} ms, 95 % in ${durations.most} ms`,
      },
      ...histories,
      ...pathFigures(asked, askedThen, last.runs - first.runs),
    ];
  } finally {
    for (const { stop } of workers) stop();
    await Promise.all(workers.map(({ ended }) => ended));
    await connection.close();
    await server.stop();
    sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function settingsOf(
  folder: string,
  index: number,
  key: string,
  baseUrl: string,
  every: number,
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
    tables: Object.fromEntries(
      tables.map((table) => [table.name, { ...defaultTableSettings(table), every: `${every}s` as const }]),
    ),
  };
}

function figuresOf(
  { connections, every, processes }: Asking,
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
      what: 'runs a second',
      measured: (runs / seconds).toFixed(1),
      reach: due.toFixed(1),
      ratio: runs / seconds / due,
    },
    { what: 'runs that failed', measured: String(last.failed) },
    {
      what: 'memory of the workers before any run',
      measured: `${mib(idle.workerBytes)} in ${processes} processes, ${mib(idle.workerBytes / connections)} a connection`,
    },
    {
      what: 'memory of the workers',
      measured: `${mib(last.workerBytes)}, ${mib(last.workerBytes / connections)} a connection`,
    },
    {
      what: 'workers: processor time',
      measured: `${(each(({ workerCpu }) => workerCpu) * 1_000).toFixed(0)} ms a run, ${((last.workerCpu - first.workerCpu) / seconds).toFixed(2)} cores`,
    },
    {
      what: 'Temporal server: processor time',
      measured: `${(each(({ serverCpu }) => serverCpu) * 1_000).toFixed(0)} ms a run, ${((last.serverCpu - first.serverCpu) / seconds).toFixed(2)} cores`,
    },
    {
      what: 'actions, as the server counts them',
      measured: `${each(({ actions }) => sum(Object.values(actions))).toFixed(1)} a run`,
    },
    ...Object.keys(last.actions)
      .map((kind) => ({ kind, share: each(({ actions }) => actions[kind] ?? 0) }))
      .filter(({ share }) => share > 0)
      .map(({ kind, share }) => ({ what: `of these ${kind}`, measured: share.toFixed(2) })),
    {
      what: 'growth of the Temporal database',
      measured: `${(each(({ database }) => database) / 1_024).toFixed(1)} KiB a run`,
    },
    {
      what: 'growth of a connection’s tables',
      measured: `${((last.tableBytes - first.tableBytes) / (runs / connections) / 1_024).toFixed(1)} KiB a run`,
    },
    { what: 'requests to the API', measured: `${each(({ requests }) => requests).toFixed(2)} a run` },
  ];
}

function pathFigures(before: Asked, after: Asked, runs: number): Figure[] {
  return Object.entries(after.paths)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, count]) => ({
      what: `GET ${path}`,
      measured: `${((count - (before.paths[path] ?? 0)) / (runs / tables.length)).toFixed(2)} a round of all tables`,
    }));
}

/** Of the last two hundred runs that ended. */
async function lastDurations(client: Client): Promise<{ median: number; most: number }> {
  const taken: number[] = [];
  for await (const { startTime, closeTime } of client.workflow.list({
    query: `WorkflowType='syncTable' AND ExecutionStatus='Completed'`,
    pageSize: 200,
  })) {
    taken.push(closeTime!.getTime() - startTime.getTime());
    if (taken.length === 200) break;
  }
  taken.sort((a, b) => a - b);
  return { median: taken[Math.floor(taken.length / 2)]!, most: taken[Math.floor(taken.length * 0.95)]! };
}

/** What the newest run of each table of a connection left in the server. */
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

type WorkerProcess = { readonly pid: number; readonly stop: () => void; readonly ended: Promise<unknown> };

/** A process that serves the queues of these destinations, each by a worker of its own. */
async function startWorkers(address: string, destinations: readonly string[]): Promise<WorkerProcess> {
  const child = fork(fileURLToPath(import.meta.url), [childArgument]);
  const ended = once(child, 'close');
  child.send({ address, destinations });
  await Promise.race([
    once(child, 'message'),
    ended.then(() => {
      throw new Error('A worker process ended.');
    }),
  ]);
  return { pid: child.pid!, ended, stop: () => void child.kill('SIGTERM') };
}

async function serve({
  address,
  destinations,
}: {
  address: string;
  destinations: readonly string[];
}): Promise<void> {
  quietRuntime();
  const connection = await NativeConnection.connect({ address });
  const workers: SourceWorker[] = [];
  for (const destination of destinations) {
    workers.push(await createSourceWorker({ connection, namespace: 'default', destination }));
  }
  // Whoever started it is gone.
  process.once('disconnect', () => process.exit());
  process.once('SIGTERM', () => workers.forEach(({ worker }) => worker.shutdown()));
  const running = Promise.all(workers.map(({ worker }) => worker.run()));
  process.send!('ready');
  await running;
  for (const { close } of workers) await close();
  await connection.close();
  process.exit();
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    // What a run stages is gone in a moment.
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
const childArgument = 'workers-in-this-process';

if (process.argv[2] === childArgument) {
  process.once('message', (asked) => void serve(asked as Parameters<typeof serve>[0]));
} else {
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', default: '10' },
      every: { type: 'string', default: '60' },
      minutes: { type: 'string', default: '2' },
      processes: { type: 'string', default: '1' },
    },
  });
  const [connections, every, minutes, processes] = [
    values.connections,
    values.every,
    values.minutes,
    values.processes,
  ].map(Number) as [number, number, number, number];
  if (![connections, every, minutes, processes].every((value) => value > 0)) {
    console.error('Give numbers from 1 on: --connections, --every (seconds), --minutes and --processes.');
    process.exit(2);
  }
  const figures = await scale({ connections, every, minutes, processes });
  console.log(
    `\n${connections} connections × ${tables.length} tables every ${every} s, ${processes} worker processes, ${minutes} minutes\n`,
  );
  console.log(tableOf(figures));
}
