import type { EndedRun, TableStatus } from './status.ts';

/** What late means, to people. */
export const lateMeans =
  'Late is a table that is further behind than twice its frequency plus the time its last good run took; before its ' +
  'first sync, one that no run is going on for twice its frequency after it was scheduled. A paused table is not late.';

/** How a connection or a table is doing, worst first. */
export const states = ['unreadable', 'failing', 'late', 'paused', 'first_sync', 'current'] as const;
export type State = (typeof states)[number];

/** What is wrong, and what to do about it. */
export type Reason = { readonly error?: string; readonly message: string; readonly advice?: string };

export type TableState = {
  readonly table: string;
  readonly state: State;
  /** Since the run began that it is as fresh as. */
  readonly lagSeconds?: number;
} & Partial<Reason>;

/** One connection of several. */
export type ConnectionStatus = {
  /** Path of its settings. */
  readonly settings: string;
  /** Its name, where the settings could be read. */
  readonly connection?: string;
  /** The worst of its tables'. */
  readonly state: State;
  /** Worst first. */
  readonly tables: readonly TableState[];
} & Partial<Reason>;

export const startWorker = 'Start one: incident-io-source worker, or up.';

/** Whether somebody should look. */
export function needsSomebody(state: State): boolean {
  return state === 'unreadable' || state === 'failing' || state === 'late';
}

/** A connection by its tables: as the worst of them is doing. */
export function connectionStatus(
  settings: string,
  connection: string,
  statuses: readonly TableStatus[],
): ConnectionStatus {
  const tables = statuses.map(tableState).sort(worstFirst);
  return { settings, connection, state: tables[0]?.state ?? 'current', tables };
}

export function worstFirst(a: { readonly state: State }, b: { readonly state: State }): number {
  return states.indexOf(a.state) - states.indexOf(b.state);
}

/** How a table is doing, in a word and, where there is more to say, a sentence. */
export function tableState(status: TableStatus): TableState {
  const { table, lagSeconds } = status;
  return { table, ...(lagSeconds !== undefined && { lagSeconds }), ...stateOf(status) };
}

function stateOf(status: TableStatus): Omit<TableState, 'table' | 'lagSeconds'> {
  const { schedule, note, tableError, lastRun, lateSince, lagSeconds } = status;
  if (schedule === 'missing') {
    return { state: 'failing', message: 'no schedule.', advice: 'Run apply: it makes the schedules.' };
  }
  if (tableError) return { state: 'failing', ...tableError };
  if (lastRun && isFailed(lastRun)) return { state: 'failing', ...reasonOf(lastRun) };
  if (lateSince !== undefined) return { state: 'late', ...reasonOfLateness(status) };
  if (schedule === 'paused') return { state: 'paused', ...(note && { message: note }) };
  return { state: lagSeconds === undefined ? 'first_sync' : 'current' };
}

export function isFailed({ outcome }: EndedRun): boolean {
  return outcome === 'failed' || outcome === 'timed_out' || outcome === 'terminated';
}

/** Why a run failed; the server may have forgotten. */
export function reasonOf({ failure }: EndedRun): Reason {
  return (
    failure ?? {
      message: 'the last run failed, and the Temporal server has forgotten why.',
      advice: 'Trigger the table to see.',
    }
  );
}

/** Why a late table is late, as far as it shows. */
export function reasonOfLateness({ running, every }: TableStatus): Required<Omit<Reason, 'error'>> {
  if (running && !running.workerAnswers) {
    return { message: 'no worker answers.', advice: startWorker };
  }
  if (running?.retrying) {
    const { attempt, message } = running.retrying;
    return {
      message: `its run is retrying (attempt ${attempt}): ${message}`,
      advice: 'See what it is retrying; it goes on by itself once that works.',
    };
  }
  if (running) {
    return {
      message: 'its run is going on.',
      advice: `If it always takes that long, sync less often than every ${every}.`,
    };
  }
  return {
    message: 'no run has kept it current.',
    advice: 'See its last and next run in its own status, and what the Temporal server says of its schedule.',
  };
}
