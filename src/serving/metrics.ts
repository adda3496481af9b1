import { setTimeout as sleep } from 'node:timers/promises';
import type { MetricMeter } from '@temporalio/common';
import type { Observer } from '../../activities/index.ts';
import { intervalMs, type Settings } from '../settings/settings.ts';
import { tableNamed } from '../tables/index.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { OnRunEnded } from './create-worker.ts';
import type { Log } from './logs.ts';

/** Upper bounds of the histograms' buckets, in seconds. */
export const histogramBuckets = {
  // A run with nothing new takes seconds, a first sync minutes or hours.
  incident_io_source_run_seconds: [1, 5, 15, 60, 300, 900, 3_600],
  // A batch ends after two minutes, or one page later.
  incident_io_source_batch_seconds: [0.25, 1, 5, 15, 30, 60, 120, 180],
  // A commit without changes takes milliseconds, a merge of millions of rows minutes.
  incident_io_source_commit_seconds: [0.1, 0.5, 1, 5, 15, 60, 300],
};

/** Counts what runs request, stage and commit as it happens, so that a first sync of several hours shows progress. */
export function countingObserver(meter: MetricMeter): Observer {
  const counter = (name: string, description: string) =>
    meter.createCounter(`incident_io_source_${name}`, undefined, description);
  const histogram = (name: string, description: string) =>
    meter.createHistogram(`incident_io_source_${name}`, 'float', undefined, description);
  const requests = counter('requests', 'Requests to the API.');
  const rows = counter('rows', 'Rows read from the API and staged.');
  const waited = counter(
    'limit_wait_seconds',
    'Seconds that requests waited for the rate limit, summed over requests that waited at the same time.',
  );
  const batches = counter('batches', 'Batches that staged a part.');
  const batchSeconds = histogram('batch_seconds', 'Seconds per batch.');
  const commits = counter('commits', 'Commits by outcome: committed, already_committed or overtaken.');
  const commitSeconds = histogram('commit_seconds', 'Seconds per commit.');
  const changed = counter('rows_changed', 'Rows that commits inserted, updated or dropped.');
  const written = counter('written_bytes', 'Bytes of data files that commits added.');
  // Counters only take whole numbers, and most waits are shorter than a second.
  const fractionsMs = new Map<string, number>();
  return {
    requested: (table, waitedMs) => {
      requests.add(1, { table });
      const ms = (fractionsMs.get(table) ?? 0) + waitedMs;
      waited.add(Math.floor(ms / 1_000), { table });
      fractionsMs.set(table, ms % 1_000);
    },
    batched: (table, { part }, seconds) => {
      batchSeconds.record(seconds, { table });
      batches.add(part ? 1 : 0, { table });
      rows.add(part?.rows ?? 0, { table });
    },
    committed: (table, outcome, seconds) => {
      commitSeconds.record(seconds, { table });
      commits.add(1, { table, outcome: outcome.status });
      if (outcome.status !== 'committed') return;
      const { inserted, updated, dropped, bytesWritten } = outcome;
      for (const [change, number] of Object.entries({ inserted, updated, dropped })) {
        changed.add(number, { table, change });
      }
      written.add(bytesWritten, { table });
    },
  };
}

/**
 * Counts runs by how they ended. The counters of these tables start at 0: Prometheus does not count the first value of
 * a series as an increase, so a worker's first failure would raise no alarm.
 */
export function runCounter(meter: MetricMeter, { tables }: Pick<Settings, 'tables'>): OnRunEnded {
  const runs = meter.createCounter('incident_io_source_runs', undefined, 'Runs that ended.');
  const description = 'Seconds that runs took, without their wait for a worker.';
  const runSeconds = meter.createHistogram('incident_io_source_run_seconds', 'float', undefined, description);
  for (const table of Object.keys(tables)) {
    for (const outcome of ['synced', 'failed', 'cancelled']) runs.add(0, { table, outcome });
  }
  return (table, outcome, seconds) => {
    runs.add(1, { table, outcome });
    runSeconds.record(seconds, { table, outcome });
  };
}

/** About as often as a scrape comes; requests to a bucket are billed, so once per minute. */
const readEveryMs = { folder: 15_000, bucket: 60_000 };

/**
 * Keeps the figures of each table up to date until `done`. They are read from the tables, not from this worker's runs,
 * so all workers of a queue agree and a restart forgets nothing. The lag of a table that was never synced or cannot be
 * read is infinite: that raises alarms, which a missing or an old value would not.
 */
export async function keepTableFigures(
  meter: MetricMeter,
  warehouse: Warehouse,
  { tables }: Pick<Settings, 'tables'>,
  log: Log,
  done: AbortSignal,
): Promise<void> {
  const gauge = (name: string, description: string) =>
    meter.createGauge(`incident_io_source_${name}`, 'float', undefined, description);
  const lag = gauge('lag_seconds', 'Seconds since the time up to which the table is complete.');
  const frequency = gauge('frequency_seconds', 'Seconds between two syncs, by the settings.');
  const differences = gauge(
    'count_differences',
    'Consecutive commits after which the API counted other rows than the table has.',
  );
  while (!done.aborted) {
    for (const [table, { every }] of Object.entries(tables)) {
      frequency.set(intervalMs(every) / 1_000, { table });
      try {
        const state = await warehouse.readState(tableNamed(table));
        const completeTo = Math.max(state?.watermark ?? 0, state?.fullReadAt ?? 0);
        lag.set(completeTo > 0 ? Math.max(0, (Date.now() - completeTo) / 1_000) : Infinity, { table });
        differences.set(state?.differences ?? 0, { table });
      } catch (error) {
        lag.set(Infinity, { table });
        log('error', 'cannot read the lag of a table', { table, error });
      }
    }
    await sleep(readEveryMs[warehouse.kind], undefined, { signal: done }).catch(() => undefined);
  }
}
