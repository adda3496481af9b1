import type { MetricMeter } from '@temporalio/common';
import type { Observer, Subject } from '../../activities/index.ts';
import type { Settings } from '../settings/settings.ts';
import type { RunEnd } from './create-worker.ts';

/** Upper bounds of the histograms' buckets, in seconds. */
export const histogramBuckets = {
  // A run with nothing new takes seconds, a first sync minutes or hours.
  incident_io_source_run_seconds: [1, 5, 15, 60, 300, 900, 3_600],
  // A batch ends after two minutes, or one page later.
  incident_io_source_batch_seconds: [0.25, 1, 5, 15, 30, 60, 120, 180],
  // A commit without changes takes milliseconds, a merge of millions of rows minutes.
  incident_io_source_commit_seconds: [0.1, 0.5, 1, 5, 15, 60, 300],
  // Events have whole seconds as times; an event without a hint waits for the schedule.
  incident_io_source_event_seconds: [1, 2, 3, 5, 10, 30, 60, 300, 900],
};

/**
 * The label that says which connection a metric belongs to. Empty if the process serves a single connection: then
 * everything that it reports, Temporal's own metrics included, already has that connection's name.
 */
export type Labels = { readonly connection?: string };

/** Counts what runs request, stage and commit as it happens, so that a first sync of several hours shows progress. */
export function countingObserver(
  meter: MetricMeter,
  labelsOf: (destination: string) => Labels = () => ({}),
): Observer {
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
  const tagsOf = ({ table, destination }: Subject) => ({ table, ...labelsOf(destination) });
  return {
    requested: (subject, waitedMs) => {
      const tags = tagsOf(subject);
      requests.add(1, tags);
      const name = `${subject.destination} ${subject.table}`;
      const ms = (fractionsMs.get(name) ?? 0) + waitedMs;
      waited.add(Math.floor(ms / 1_000), tags);
      fractionsMs.set(name, ms % 1_000);
    },
    batched: (subject, { part }, seconds) => {
      const tags = tagsOf(subject);
      batchSeconds.record(seconds, tags);
      batches.add(part ? 1 : 0, tags);
      rows.add(part?.rows ?? 0, tags);
    },
    committed: (subject, outcome, seconds) => {
      const tags = tagsOf(subject);
      commitSeconds.record(seconds, tags);
      commits.add(1, { ...tags, outcome: outcome.status });
      if (outcome.status !== 'committed') return;
      const { inserted, updated, dropped, bytesWritten } = outcome;
      for (const [change, number] of Object.entries({ inserted, updated, dropped })) {
        changed.add(number, { ...tags, change });
      }
      written.add(bytesWritten, tags);
    },
  };
}

/** Counts runs by how they ended. */
export type RunCounter = {
  /**
   * Starts the counters of a connection's tables at 0: Prometheus does not count the first value of a series as an
   * increase, so a worker's first failure would raise no alarm.
   */
  readonly begin: (settings: Pick<Settings, 'tables'>, labels: Labels) => void;
  readonly count: (labels: Labels, ...run: RunEnd) => void;
};

export function runCounter(meter: MetricMeter): RunCounter {
  const runs = meter.createCounter('incident_io_source_runs', undefined, 'Runs that ended.');
  const description = 'Seconds that runs took, without their wait for a worker.';
  const runSeconds = meter.createHistogram('incident_io_source_run_seconds', 'float', undefined, description);
  return {
    begin({ tables }, labels) {
      for (const table of Object.keys(tables)) {
        for (const outcome of ['synced', 'failed', 'cancelled']) runs.add(0, { table, outcome, ...labels });
      }
    },
    count(labels, table, outcome, seconds) {
      runs.add(1, { table, outcome, ...labels });
      runSeconds.record(seconds, { table, outcome, ...labels });
    },
  };
}
