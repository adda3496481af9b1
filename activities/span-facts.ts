import type { CommitOutcome } from '../src/warehouse/warehouse.ts';
import type { ExtractInput, Extracted, Plan } from './contract.ts';

// What the spans of steps record in addition to the table and the run.

export function planFacts({ fullRead, reason, windows }: Plan) {
  return {
    'incident_io.full_read': fullRead,
    'incident_io.reason': reason,
    'incident_io.windows': windows.length,
  };
}

export function batchFacts({ window }: ExtractInput, { part, pages, requests, waitedMs, next }: Extracted) {
  return {
    'incident_io.window': window.id,
    'incident_io.pages': pages,
    'incident_io.rows': part?.rows ?? 0,
    'incident_io.requests': requests,
    'incident_io.waited_ms': waitedMs,
    'incident_io.next': next.kind,
  };
}

export function commitFacts(outcome: CommitOutcome) {
  const { status } = outcome;
  if (status === 'overtaken' || status === 'doubtful')
    return { 'incident_io.outcome': status, 'incident_io.reason': outcome.reason };
  const facts = {
    'incident_io.outcome': status,
    'incident_io.version': outcome.version,
    'incident_io.rows': outcome.rows,
  };
  if (status === 'already_committed') return facts;
  const { inserted, updated, dropped, bytesWritten } = outcome;
  return {
    ...facts,
    'incident_io.inserted': inserted,
    'incident_io.updated': updated,
    'incident_io.dropped': dropped,
    'incident_io.bytes_written': bytesWritten,
  };
}
