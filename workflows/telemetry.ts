import { type ApplicationFailure, log, metricMeter, workflowInfo } from '@temporalio/workflow';
import type { SyncTableResult } from './contract.ts';
import { adviceOf } from './failures.ts';

// Log lines and metrics of a run. They go through the SDK's own log and meter, which add nothing to the history and
// are silent during a replay.

export function reportStarted(table: string): void {
  log.info('run started', { table, ...ids() });
}

export function reportEnded(result: SyncTableResult): void {
  const { table, seconds, version, rows, read, changes, reason, notes } = result;
  const { requests, waitedMs } = read;
  const changed = changes && {
    inserted: changes.inserted,
    updated: changes.updated,
    dropped: changes.dropped,
  };
  log.info('run ended', {
    table,
    ...ids(),
    read: read.rows,
    ...changed,
    rows,
    requests,
    waitedSeconds: waitedMs / 1_000,
    seconds,
    version,
    reason,
    ...(notes.length > 0 && { notes }),
  });
  countRun(table, 'synced', seconds);
}

export function reportFailed(table: string, seconds: number, failure: ApplicationFailure): void {
  const { type, message } = failure;
  log.error('run failed', { table, ...ids(), seconds, error: type, message, advice: adviceOf(failure) });
  countRun(table, 'failed', seconds);
}

export function reportCancelled(table: string, seconds: number): void {
  log.warn('run cancelled', { table, ...ids(), seconds });
  countRun(table, 'cancelled', seconds);
}

function ids() {
  // The SDK adds the ids of the current execution; this one stays the same when the run continues as new.
  return { run: workflowInfo().firstExecutionRunId };
}

function countRun(table: string, outcome: 'synced' | 'failed' | 'cancelled', seconds: number): void {
  metricMeter
    .createCounter('incident_io_source_runs', undefined, 'Runs that ended.')
    .add(1, { table, outcome });
  metricMeter
    .createHistogram(
      'incident_io_source_run_seconds',
      'float',
      undefined,
      'Seconds from start to end of a run.',
    )
    .record(seconds, { table, outcome });
}
