import type { EndedRun } from '../../connections/runs/ended-runs.ts';
import type { RunOutcome } from '../../connections/runs/runs.ts';
import { defined } from '../../defined.ts';
import type { Failure } from '../../failure.ts';
import type { SyncTableResult } from '../../../workflows/contract.ts';

/** A run as `sync`, `status` and `runs` print it; everything but the outcome may be unknown. */
export type RunFacts = {
  readonly outcome: EndedRun['outcome'] | 'running';
  /** RFC 3339, UTC. */
  readonly startedAt?: string | undefined;
  readonly endedAt?: string | undefined;
  readonly workflowId?: string | undefined;
  readonly result?: SyncTableResult | undefined;
  readonly failure?: Failure | undefined;
};

/** One shape for every run, wherever it is printed. Times are RFC 3339, UTC. */
export function runAsJson({ outcome, startedAt, endedAt, workflowId, result, failure }: RunFacts): object {
  const unavailable = result?.unavailable;
  return {
    outcome: unavailable ? 'not_available' : outcome,
    ...defined({ workflowId, startedAt, endedAt }),
    ...(unavailable ? notAvailable(unavailable) : result && figuresOf(result)),
    ...failure,
  };
}

/** The outcome of a run that this command has waited for. */
export function outcomeAsJson(run: RunOutcome): object {
  const { table, status } = run;
  if (status === 'synced') return { table, ...runAsJson({ outcome: status, result: run.result }) };
  if (status === 'cancelled') return { table, ...runAsJson({ outcome: status }) };
  const { error, message, advice } = run;
  return { table, ...runAsJson({ outcome: status, failure: { error, message, advice } }) };
}

function notAvailable({ error, message, advice, since }: NonNullable<SyncTableResult['unavailable']>) {
  return { notAvailableSince: new Date(since).toISOString(), error, message, advice };
}

function figuresOf(result: SyncTableResult) {
  const { fullRead, reason, version, rows, changes, watermark, read, seconds, queuedSeconds, notes } = result;
  return {
    fullRead,
    reason,
    version,
    rows,
    ...(changes && {
      inserted: changes.inserted,
      updated: changes.updated,
      dropped: changes.dropped,
      bytesWritten: changes.bytesWritten,
      columnsAdded: changes.columnsAdded,
    }),
    rowsRead: read.rows,
    requests: read.requests,
    bytesRead: read.bytes,
    limitWaitSeconds: read.waitedMs / 1_000,
    seconds,
    ...defined({
      queuedSeconds,
      watermark: watermark === undefined ? undefined : new Date(watermark).toISOString(),
    }),
    notes,
  };
}
