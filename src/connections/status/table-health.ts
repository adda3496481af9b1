import type { EndedRun } from '../runs/ended-runs.ts';
import type { TableStatus } from './table-status.ts';

/** How a connection or a table is doing, worst first. */
export const states = [
  'unreadable',
  'failing',
  'late',
  'paused',
  'not_available',
  'first_sync',
  'current',
] as const;
export type State = (typeof states)[number];

/** What is wrong, and what to do about it. */
export type Reason = { readonly error?: string; readonly message: string; readonly advice?: string };

/** A table's status in one word and, if there is more to say, one sentence. */
export type TableHealth = {
  readonly table: string;
  readonly state: State;
  /** Seconds since the time up to which the table is complete. */
  readonly lagSeconds?: number;
} & Partial<Reason>;

export const startWorker = 'Start one: incident-io-source worker, or up.';

/** Whether it needs attention. */
export function needsAttention(state: State): boolean {
  return state === 'unreadable' || state === 'failing' || state === 'late';
}

/** Compares by state, for sorting. */
export function worstFirst(a: { readonly state: State }, b: { readonly state: State }): number {
  return states.indexOf(a.state) - states.indexOf(b.state);
}

export function healthOf(status: TableStatus): TableHealth {
  const { table, lagSeconds } = status;
  return { table, ...(lagSeconds !== undefined && { lagSeconds }), ...stateAndReason(status) };
}

function stateAndReason(status: TableStatus): Omit<TableHealth, 'table' | 'lagSeconds'> {
  const { schedule, note, tableError, lastRun, lateSince, lagSeconds } = status;
  if (schedule === 'missing') {
    return { state: 'failing', message: 'it has no schedule.', advice: 'Run apply, which creates it.' };
  }
  if (tableError) return { state: 'failing', ...tableError };
  if (lastRun && isFailed(lastRun)) return { state: 'failing', ...reasonOfFailure(lastRun) };
  const unavailable = lastRun?.result?.unavailable;
  if (unavailable) {
    const { error, message, advice } = unavailable;
    return { state: 'not_available', error, message, advice };
  }
  if (lateSince !== undefined) return { state: 'late', ...reasonOfLateness(status) };
  if (schedule === 'paused') return { state: 'paused', ...(note && { message: note }) };
  return { state: lagSeconds === undefined ? 'first_sync' : 'current' };
}

export function isFailed({ outcome }: EndedRun): boolean {
  return outcome === 'failed' || outcome === 'timed_out' || outcome === 'terminated';
}

export function reasonOfFailure({ failure }: EndedRun): Reason {
  return (
    failure ?? {
      message: 'the last run failed, and the Temporal server no longer knows why.',
      advice: 'Trigger the table to find out.',
    }
  );
}

/** Why a late table is late, as far as its status shows. */
export function reasonOfLateness({ running, every }: TableStatus): Required<Omit<Reason, 'error'>> {
  if (running && !running.workerAnswers) {
    return { message: 'no worker responds.', advice: startWorker };
  }
  if (running?.retrying) {
    const { attempt, message } = running.retrying;
    return {
      message: `its run is retrying (attempt ${attempt}): ${message}`,
      advice: 'Fix the cause; the run then continues by itself.',
    };
  }
  if (running) {
    return {
      message: 'its run is in progress.',
      advice: `If it always takes this long, sync less often than every ${every}.`,
    };
  }
  return {
    message: 'no run has kept it current.',
    advice: 'Look at its last and next run in its own status, and at its schedule on the Temporal server.',
  };
}
