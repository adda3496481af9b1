import { type Figure, mib } from './figures.ts';
import type { Asked } from './sandbox-process.ts';

export type Asking = {
  readonly connections: number;
  /** Seconds between two runs of a table; `default` for what settings have by default, most of it hours. */
  readonly every: number | 'default';
  /** All connections but the first begin with copies of its tables, so that their next runs are quiet ones. */
  readonly seeded: boolean;
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
  /** Runs that wait or are worked on. */
  readonly open: number;
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

/** @param due runs per second, by the tables' frequencies */
export function figuresOf(
  { connections, processes }: Asking,
  due: number,
  { idle, first, last }: { readonly idle: Moment; readonly first: Moment; readonly last: Moment },
): Figure[] {
  const seconds = (last.at - first.at) / 1_000;
  const runs = last.runs - first.runs;
  const each = (of: (moment: Moment) => number) => (of(last) - of(first)) / runs;
  const actionsEach = each(({ actions }) => sum(Object.values(actions)));
  return [
    {
      what: 'runs per second',
      measured: (runs / seconds).toFixed(1),
      reach: due.toFixed(1),
      ratio: runs / seconds / due,
    },
    { what: 'failed runs, since the beginning', measured: String(last.failed) },
    {
      what: 'memory of the workers before the first run',
      measured: `${mib(idle.workerBytes)} in ${processes} processes, ${mib(idle.workerBytes / connections)} per connection`,
    },
    {
      what: 'memory of the workers',
      measured: `${mib(first.workerBytes)} at first, ${mib(last.workerBytes)} at last, ${mib(last.workerBytes / connections)} per connection`,
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
      what: 'memory of the Temporal server',
      measured: `${mib(first.serverBytes)} at first, ${mib(last.serverBytes)} at last`,
    },
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
      measured: `${actionsEach.toFixed(1)} per run`,
      reach: '≤ 5.3',
      ratio: actionsEach / 5.3,
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

export function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
