import { type ApplicationFailure, log, proxySinks, workflowInfo } from '@temporalio/workflow';
import type { Failure } from '../src/failure.ts';
import type { RunSinks, SyncTableResult } from './contract.ts';
import { adviceOf } from './failures.ts';

// Log lines and metrics of a run. They go through sinks, which add nothing to the history and are silent during a
// replay. The SDK's meter is not used, since it adds labels of its own, and `namespace` clashes with those of scrapers.

export function reportStarted(table: string): void {
  log.info('run started', { table, ...ids() });
}

export function reportEnded(result: SyncTableResult): void {
  const { table, seconds, queuedSeconds, version, rows, read, changes, reason, notes } = result;
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
    queuedSeconds,
    version,
    reason,
    ...(notes.length > 0 && { notes }),
  });
  countRun(table, 'synced', seconds);
}

/** Neither a success nor a failure, so it is not counted. */
export function reportUnavailable(table: string, seconds: number, { error, message, advice }: Failure): void {
  log.info('run ended: the account does not have the table', {
    table,
    ...ids(),
    seconds,
    error,
    message,
    advice,
  });
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

const { incidentIoSource } = proxySinks<RunSinks>();

function countRun(...run: Parameters<typeof incidentIoSource.runEnded>): void {
  if (!workflowInfo().unsafe.isReplaying) incidentIoSource.runEnded(...run);
}
