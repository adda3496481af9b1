import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { desiredSchedules } from '../src/connections/schedule/schedule-options.ts';
import { intervalMs, type Settings } from '../src/settings/settings.ts';
import { type Figure, quantile } from './figures.ts';

/** A run that starts later than this after the time it was due is late. */
const lateAfterSeconds = 5;
/** How long runs that were due at the end of the measurement may take. */
const patienceMs = 60_000;
/** The target for a run that finds nothing new. */
const mostEvents = 11;

/** Milliseconds since the epoch. */
type Span = { readonly from: number; readonly to: number };

/** Runs per second, by the tables' frequencies. */
export function dueRate(connections: readonly Settings[]): number {
  let rate = 0;
  for (const { tables } of connections) {
    for (const { every } of Object.values(tables)) rate += 1_000 / intervalMs(every);
  }
  return rate;
}

/** What became of the runs that the schedules were to start. */
type DueRuns = {
  readonly due: number;
  /** Due, and not there: the schedule skipped it, or has not started it yet. */
  readonly missing: number;
  /** There, and neither completed nor failed. */
  readonly open: number;
  readonly failed: number;
  /** Of the completed ones. */
  readonly runs: readonly CompletedRun[];
};

type CompletedRun = {
  readonly info: WorkflowExecutionInfo;
  /** Milliseconds from the time it was due to its start. */
  readonly waited: number;
  /** Milliseconds from its start to its end. */
  readonly took: number;
};

/** The runs that were due in a time, once all have ended or a minute has passed. */
export async function dueRuns(
  client: Client,
  connections: readonly Settings[],
  span: Span,
): Promise<DueRuns> {
  const due = dueTimes(connections, span);
  for (const giveUpAt = Date.now() + patienceMs; ;) {
    const found = await outcomes(client, due, span);
    if (found.open + found.missing === 0 || Date.now() > giveUpAt) return found;
    await sleep(5_000);
  }
}

/** `<schedule> <time>` for each run that is due. */
function dueTimes(connections: readonly Settings[], { from, to }: Span): ReadonlySet<string> {
  const due = new Set<string>();
  for (const settings of connections) {
    for (const { options } of desiredSchedules(settings, 'unknown')) {
      const { every, offset = 0 } = options.spec.intervals![0]!;
      const [everyMs, offsetMs] = [Number(every), Number(offset)];
      const first = offsetMs + Math.ceil((from - offsetMs) / everyMs) * everyMs;
      for (let at = first; at < to; at += everyMs) due.add(`${options.scheduleId} ${at}`);
    }
  }
  return due;
}

async function outcomes(client: Client, due: ReadonlySet<string>, { from, to }: Span): Promise<DueRuns> {
  const [since, until] = [new Date(from), new Date(to)].map((time) => time.toISOString());
  const query = `WorkflowType='syncTable' AND TemporalScheduledStartTime >= '${since}' AND TemporalScheduledStartTime < '${until}'`;
  const found = new Set<string>();
  const runs: CompletedRun[] = [];
  let [open, failed] = [0, 0];
  for await (const info of client.workflow.list({ query, pageSize: 1_000 })) {
    const { TemporalScheduledById: ids, TemporalScheduledStartTime: times } = info.searchAttributes;
    const at = (times![0] as Date).getTime();
    const run = `${String(ids![0])} ${at}`;
    // Otherwise it was triggered.
    if (!due.has(run)) continue;
    found.add(run);
    const { name } = info.status;
    const { startTime, closeTime } = info;
    if (name === 'RUNNING') open += 1;
    else if (name === 'COMPLETED') {
      runs.push({
        info,
        waited: startTime.getTime() - at,
        took: closeTime!.getTime() - startTime.getTime(),
      });
    } else failed += 1;
  }
  return { due: due.size, missing: due.size - found.size, open, failed, runs };
}

export function dueFigures({ due, missing, open, failed, runs }: DueRuns): Figure[] {
  const late = runs.filter(({ waited }) => waited > lateAfterSeconds * 1_000).length;
  const said = (values: readonly number[]) =>
    values.length === 0
      ? 'none'
      : `median ${quantile(values, 0.5)} ms, 95th percentile ${quantile(values, 0.95)} ms, longest ${quantile(values, 1)} ms`;
  return [
    { what: 'runs due; of them completed', measured: `${due}; ${runs.length}`, ratio: runs.length / due },
    { what: 'failed; still running after a minute', measured: `${failed}; ${open}` },
    { what: 'skipped by their schedules, or not started', measured: String(missing) },
    { what: `started more than ${lateAfterSeconds} s late`, measured: String(late) },
    { what: 'from the time a run is due to its start', measured: said(runs.map(({ waited }) => waited)) },
    {
      what: 'from start to end of a run, the wait for a worker included',
      measured: said(runs.map(({ took }) => took)),
    },
  ];
}

/** The size of a run's history, for each table: its newest run. */
export function historyFigures({ runs }: DueRuns, { tables }: Settings): Figure[] {
  return Object.entries(tables).flatMap(([table, { syncMethod }]) => {
    const ofTable = runs.filter(({ info }) => info.workflowId.includes(`:${table}-workflow`));
    if (ofTable.length === 0) return [];
    const newest = ofTable.reduce((a, b) => (a.info.startTime > b.info.startTime ? a : b)).info;
    return [
      {
        what: `history of ${table}, ${syncMethod}`,
        measured: `${newest.historyLength} events, ${(newest.historySize! / 1_024).toFixed(1)} KiB`,
        reach: `≤ ${mostEvents} events`,
        ratio: newest.historyLength / mostEvents,
      },
    ];
  });
}
