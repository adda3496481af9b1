import type { Client } from '@temporalio/client';
import { scheduleId } from '../src/temporal/names.ts';
import type { Settings } from '../src/settings/settings.ts';
import { type Figure, mib, quantile } from './figures.ts';
import type { Asked } from './sandbox-process.ts';

export type Asking = {
  readonly connections: number;
  /** Seconds between two runs of a table. */
  readonly every: number;
  readonly minutes: number;
  /** Worker processes, which all serve all connections. */
  readonly processes: number;
  /** The tables of each connection. */
  readonly tables: readonly string[];
  /** As `foreignServer` takes it; if left out, a dev server is started. */
  readonly server?: string | undefined;
};

/** What everything together has used up to one moment. */
export type Moment = {
  readonly at: number;
  readonly runs: number;
  readonly failed: number;
  readonly actions: { readonly [kind: string]: number };
  readonly requests: number;
  readonly database: number;
  readonly serverCpu: number;
  readonly serverBytes: number;
  /** For a database in a process of its own. */
  readonly databaseUse: { readonly cpuSeconds: number; readonly bytes: number } | undefined;
  readonly workerCpu: number;
  readonly workerBytes: number;
  readonly tableBytes: number;
};

export function figuresOf(
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
    { what: 'memory of the Temporal server', measured: mib(last.serverBytes) },
    ...(last.databaseUse
      ? [
          {
            what: 'CPU time of its database',
            measured: `${(each(({ databaseUse }) => databaseUse!.cpuSeconds) * 1_000).toFixed(0)} ms per run, ${((last.databaseUse.cpuSeconds - first.databaseUse!.cpuSeconds) / seconds).toFixed(2)} cores`,
          },
          {
            what: 'memory of its database, shared pages counted again',
            measured: mib(last.databaseUse.bytes),
          },
        ]
      : [
          {
            what: 'growth of the Temporal database',
            measured: `${(each(({ database }) => database) / 1_024).toFixed(1)} KiB per run`,
          },
        ]),
    {
      what: 'actions, as the server counts them',
      measured: `${each(({ actions }) => sum(Object.values(actions))).toFixed(1)} per run`,
    },
    ...Object.keys(last.actions)
      .map((kind) => ({ kind, share: each(({ actions }) => actions[kind] ?? 0) }))
      .filter(({ share }) => share > 0)
      .map(({ kind, share }) => ({ what: `… of which ${kind}`, measured: share.toFixed(2) })),
    {
      what: 'growth of one connection’s tables',
      measured: `${((last.tableBytes - first.tableBytes) / (runs / connections) / 1_024).toFixed(1)} KiB per run`,
    },
    { what: 'requests to the API', measured: `${each(({ requests }) => requests).toFixed(2)} per run` },
  ];
}

export function pathFigures(before: Asked, after: Asked, syncs: number): Figure[] {
  return Object.entries(after.paths)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, count]) => ({
      what: `GET ${path}`,
      measured: `${((count - (before.paths[path] ?? 0)) / syncs).toFixed(2)} per sync of all tables`,
    }));
}

/** Milliseconds, over the last two hundred completed runs. */
export async function lastDurations(
  client: Client,
): Promise<{ median: number; most: number; longest: number }> {
  const taken: number[] = [];
  for await (const { startTime, closeTime } of client.workflow.list({
    query: `WorkflowType='syncTable' AND ExecutionStatus='Completed'`,
    pageSize: 200,
  })) {
    taken.push(closeTime!.getTime() - startTime.getTime());
    if (taken.length === 200) break;
  }
  return { median: quantile(taken, 0.5), most: quantile(taken, 0.95), longest: quantile(taken, 1) };
}

/** The size of the newest run's history, for each table of a connection. */
export async function historiesOf(client: Client, { connection, tables }: Settings): Promise<Figure[]> {
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

export function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
