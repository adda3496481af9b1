import type { PastRun } from '../../connections/runs/run-history.ts';
import { keyLimit } from '../../incident-io/pace.ts';
import { readSettings } from '../../settings/file.ts';
import { failuresJson } from '../problem-json.ts';
import type { Health } from '../contract/runs.ts';
import type { ConsoleWorld } from '../world.ts';
import { historyOf } from './runs.ts';

/** Each run costs a few calls to the server, and each commit a read of its file. */
const mostRuns = 300;
const dayMs = 86_400_000;
const hourMs = 3_600_000;
const limitPerHour = keyLimit.perSecond * 3_600;

const howCounted =
  `These figures cover the latest ${mostRuns} runs that the Temporal server and the tables’ logs still have. Requests ` +
  `count at the time a run ended. The rate limit is ${keyLimit.perSecond} requests per second, and other programs that ` +
  'use the key are not counted. The lag shows how far behind a table was right before each commit.';

/** Figures of a connection over time. */
export async function healthOf(file: string, days: number, world: ConsoleWorld): Promise<Health> {
  const { tables } = await readSettings(file);
  const { runs, unread } = await historyOf(file, undefined, mostRuns, world);
  const since = Date.now() - days * dayMs;
  const recent = runs.filter((run) => run.outcome !== 'running' && timeOf(run) >= since).toReversed();
  const first = recent[0];
  return {
    from: new Date(first ? timeOf(first) : since).toISOString(),
    days: daysOf(recent),
    hours: hoursOf(recent),
    limitPerHour,
    lag: Object.entries(tables).map(([table, { every }]) => ({ table, every, points: lagOf(recent, table) })),
    unread: failuresJson(unread),
    howCounted,
  };
}

function timeOf({ started, ended }: PastRun): number {
  return Date.parse(ended ?? started ?? '');
}

function daysOf(runs: readonly PastRun[]): Health['days'] {
  const days = new Map<string, Health['days'][number]>();
  for (const run of runs) {
    const day = new Date(timeOf(run)).toISOString().slice(0, '2026-11-28'.length);
    const before = days.get(day) ?? { day, runs: 0, failed: 0, requests: 0, rowsRead: 0, rowsChanged: 0 };
    const { result, commit } = run;
    const { inserted = 0, updated = 0, dropped = 0 } = result?.changes ?? commit ?? {};
    days.set(day, {
      day,
      runs: before.runs + 1,
      failed: before.failed + (isFailed(run) ? 1 : 0),
      requests: before.requests + (result?.read.requests ?? 0),
      rowsRead: before.rowsRead + (result?.read.rows ?? 0),
      rowsChanged: before.rowsChanged + inserted + updated + dropped,
    });
  }
  return [...days.values()];
}

function isFailed({ outcome }: PastRun): boolean {
  return outcome === 'failed' || outcome === 'timed_out' || outcome === 'terminated';
}

function hoursOf(runs: readonly PastRun[]): Health['hours'] {
  const hours = new Map<number, number>();
  for (const run of runs) {
    const hour = Math.floor(timeOf(run) / hourMs) * hourMs;
    hours.set(hour, (hours.get(hour) ?? 0) + (run.result?.read.requests ?? 0));
  }
  return [...hours].map(([hour, requests]) => ({
    hour: new Date(hour).toISOString(),
    requests,
    share: requests / limitPerHour,
  }));
}

/** @param runs oldest first */
function lagOf(runs: readonly PastRun[], table: string): Health['lag'][number]['points'] {
  const points: Health['lag'][number]['points'] = [];
  let completeTo: number | undefined;
  for (const run of runs) {
    if (run.table !== table || run.outcome !== 'synced' || run.result?.unavailable) continue;
    const at = timeOf(run);
    if (completeTo !== undefined) {
      points.push({
        at: new Date(at).toISOString(),
        seconds: Math.max(0, Math.round((at - completeTo) / 1_000)),
      });
    }
    // A run makes the table complete up to the time the run began.
    completeTo = run.result?.watermark ?? Date.parse(run.started ?? run.ended ?? '');
  }
  return points;
}
