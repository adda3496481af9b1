import {
  type Client,
  WorkflowFailedError,
  type WorkflowExecutionDescription,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { adviceOf, asApplicationFailure } from '../../workflows/failures.ts';
import type { SyncTableResult } from '../../workflows/contract.ts';
import type { syncTable } from '../../workflows/sync-table.ts';
import { SourceError } from '../errors.ts';
import { type Frequency, intervalMs, type Settings, type TableSettings } from '../settings/settings.ts';
import type { Table } from '../tables/table.ts';
import type { TableState, Warehouse } from '../warehouse/warehouse.ts';
import { tableWorkflowId } from '../temporal/names.ts';
import { openRuns, progressIfAnswered } from './open-runs.ts';
import { describeRun, type Run, type RunProgress } from './runs.ts';
import { describedSchedule, type ScheduledAction, type ScheduleFacts } from './schedule-facts.ts';
import { otherDestination } from './schedule-owner.ts';

/** A run that has ended. Times are RFC 3339, UTC. */
export type EndedRun = {
  readonly workflowId: string;
  readonly started: string;
  readonly ended?: string;
  readonly outcome: 'synced' | 'failed' | 'cancelled' | 'terminated' | 'timed_out' | 'unknown';
  readonly result?: SyncTableResult;
  readonly failure?: { readonly error: string; readonly message: string; readonly advice: string };
};

/** A run that is going on. */
export type GoingRun = {
  readonly workflowId: string;
  readonly started: string;
  /** What it does; from the server alone where no worker answers. */
  readonly phase: string;
  readonly workerAnswers: boolean;
  readonly rows?: number;
  readonly requests?: number;
  readonly windows?: { readonly open: number; readonly done: number };
  readonly retrying?: { readonly attempt: number; readonly message: string };
};

/** How a table of a connection is doing. Times are RFC 3339, UTC. */
export type TableStatus = TableSettings & {
  readonly table: string;
  readonly schedule: 'active' | 'paused' | 'missing';
  /** Why it was paused. */
  readonly note?: string;
  readonly running?: GoingRun;
  /** A run follows the one that is going on. */
  readonly buffered: boolean;
  readonly lastRun?: EndedRun;
  /** When the last successful run ended; where the server has forgotten, up to when the table is complete. */
  readonly lastSuccess?: string;
  /** Of the table as committed. */
  readonly rows?: number;
  readonly watermark?: string;
  readonly lastFullRead?: string;
  /** Since the run began that the table is as fresh as. */
  readonly lagSeconds?: number;
  /** Since when the table is late, by the definition of `lateMeans`, where it is. */
  readonly lateSince?: string;
  readonly nextRun?: string;
  /** The table cannot be read, and why. */
  readonly tableError?: { readonly error: string; readonly message: string; readonly advice: string };
};

/**
 * Reads how a table is doing from its schedule, its last runs and what the table says about itself.
 * @param listed the schedule as the server's list has it: where that and the table say that all is well, nothing else
 * is asked, and runs are left out.
 */
export async function statusOf(
  client: Client,
  settings: Settings,
  table: Table,
  warehouse: Warehouse,
  listed?: ScheduleFacts,
): Promise<TableStatus> {
  const { destination, tables } = settings;
  const base = { table: table.name, ...tables[table.name]! };
  const schedule = listed ?? (await describedSchedule(client, settings, table.name));
  // On another host there is no folder to look into; the last run knows what it committed.
  if (schedule?.elsewhere !== undefined) {
    const { name, message, advice } = otherDestination(settings.connection, schedule.elsewhere, destination);
    return { ...base, ...scheduleFields(schedule), tableError: { error: name, message, advice } };
  }
  const here = schedule?.isHere ?? true;
  const { state, tableError } = here ? await readState(warehouse, table) : {};
  const found = { ...stateFields(state), ...(tableError && { tableError }) };
  if (listed) {
    const known = here ? found : startOfLastGood(listed);
    if (isWell(listed, base.every, known)) {
      return { ...base, ...scheduleFields(listed), ...fieldsOf(known) };
    }
  }
  const byHand = tableWorkflowId(destination, table.name);
  const [running] = await goingRuns(client, schedule?.running ?? [], byHand);
  if (!schedule) {
    return { ...base, schedule: 'missing', ...(running && { running }), buffered: false, ...fieldsOf(found) };
  }

  const { lastRun, lastSuccess } = await lastRuns(client, schedule);
  const committed = here ? found : resultFields(lastSuccess);
  const due = await dueBy(base.every, schedule, committed, lastSuccess?.result);
  // A first sync may take longer than any frequency.
  const isFirst = committed.completeTo === undefined && running?.workerAnswers === true;
  const isLate = !schedule.paused && !committed.tableError && !isFirst && due < Date.now();
  const success = lastSuccess?.ended ?? lastSuccess?.started ?? committed.completeTo;
  return {
    ...base,
    ...scheduleFields(schedule),
    ...(running && { running }),
    ...(lastRun && { lastRun }),
    ...(success !== undefined && { lastSuccess: success }),
    ...fieldsOf(committed),
    ...(isLate && { lateSince: new Date(due).toISOString() }),
  };
}

function scheduleFields({
  paused,
  note,
  buffered,
  next,
}: ScheduleFacts): Pick<TableStatus, 'schedule' | 'note' | 'buffered' | 'nextRun'> {
  return {
    schedule: paused ? 'paused' : 'active',
    ...(paused && note && { note }),
    buffered,
    ...(!paused && next && { nextRun: next.toISOString() }),
  };
}

/**
 * Whether the newest run succeeded, or was cancelled, and the table is not late. A schedule notices that a run has
 * ended when it starts the next one; a table that is complete up to a run's start has been committed by it, though.
 */
function isWell(
  { actions, paused }: ScheduleFacts,
  every: Frequency,
  { completeTo, tableError }: Committed,
): boolean {
  if (tableError || completeTo === undefined) return false;
  const complete = Date.parse(completeTo);
  const newest = actions.at(-1);
  const outcome = newest && outcomeByNumber[newest.status];
  const isGood =
    !newest || outcome === 'synced' || outcome === 'cancelled' || complete >= newest.takenAt.getTime();
  return isGood && (paused || Date.now() <= complete + 2 * intervalMs(every));
}

function startOfLastGood({ actions }: ScheduleFacts): Committed {
  const good = actions.findLast(({ status }) => outcomeByNumber[status] === 'synced');
  return good ? freshness(good.takenAt.getTime()) : {};
}

/** Until when the table has to be complete anew not to be late, milliseconds since the epoch. */
async function dueBy(
  every: Frequency,
  { createdAt }: ScheduleFacts,
  { completeTo }: Committed,
  lastGood: SyncTableResult | undefined,
): Promise<number> {
  const from = completeTo === undefined ? (await createdAt()).getTime() : Date.parse(completeTo);
  return from + 2 * intervalMs(every) + (lastGood?.seconds ?? 0) * 1_000;
}

type Committed = Pick<TableStatus, 'rows' | 'watermark' | 'lastFullRead' | 'lagSeconds' | 'tableError'> & {
  readonly completeTo?: string;
};

function fieldsOf({ completeTo: _completeTo, ...fields }: Committed): Omit<Committed, 'completeTo'> {
  return fields;
}

/** One table that cannot be read must not hide how the others are doing. */
async function readState(
  warehouse: Warehouse,
  table: Table,
): Promise<{ state?: TableState | undefined } & Pick<TableStatus, 'tableError'>> {
  try {
    return { state: await warehouse.readState(table) };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const { name, message, advice } = error;
    return { tableError: { error: name, message, advice } };
  }
}

function stateFields(state: TableState | undefined): Committed {
  if (!state) return {};
  const { rows, watermark, fullReadAt } = state;
  return committedOf(rows, watermark, fullReadAt);
}

/** What a run left, for those who cannot look into the table; the server may have forgotten all but its start. */
function resultFields(run: EndedRun | undefined): Committed {
  if (!run) return {};
  const { result, started } = run;
  if (!result) return freshness(Date.parse(started));
  return committedOf(result.rows, result.watermark, result.fullRead ? Date.parse(started) : undefined);
}

function committedOf(rows: number, watermark: number | undefined, fullReadAt: number | undefined): Committed {
  const completeTo = Math.max(watermark ?? 0, fullReadAt ?? 0);
  return {
    rows,
    ...(watermark !== undefined && { watermark: new Date(watermark).toISOString() }),
    ...(fullReadAt !== undefined && { lastFullRead: new Date(fullReadAt).toISOString() }),
    ...(completeTo > 0 && freshness(completeTo)),
  };
}

function freshness(completeTo: number): Pick<Committed, 'completeTo' | 'lagSeconds'> {
  return {
    completeTo: new Date(completeTo).toISOString(),
    lagSeconds: Math.max(0, Math.round((Date.now() - completeTo) / 1000)),
  };
}

/** The schedule's runs that are going on, and the one that somebody started by hand. */
async function goingRuns(client: Client, scheduled: readonly Run[], byHand: string): Promise<GoingRun[]> {
  const open = await openRuns(client, scheduled, byHand);
  const runs = await Promise.all(
    open.map(async (run) => {
      const [description, progress] = await Promise.all([
        describeRun(client, run),
        progressIfAnswered(client, run),
      ]);
      return description && goingRun(description, progress);
    }),
  );
  return runs.filter((run) => run !== undefined);
}

function goingRun(description: WorkflowExecutionDescription, progress: RunProgress | undefined): GoingRun {
  const { workflowId, startTime, raw } = description;
  const run = { workflowId, started: startTime.toISOString(), workerAnswers: progress !== undefined };
  if (progress) {
    const { phase, read, windows, retrying } = progress;
    return {
      ...run,
      phase,
      ...(read && { rows: read.rows, requests: read.requests }),
      ...(windows && { windows }),
      ...(retrying && { retrying }),
    };
  }
  const pending = raw.pendingActivities ?? [];
  const names = new Set(pending.map(({ activityType }) => phases[activityType?.name ?? ''] ?? 'working'));
  const failing = pending.find(({ lastFailure }) => lastFailure);
  return {
    ...run,
    phase: names.size > 0 ? [...names].join(', ') : 'waiting for a worker',
    ...(failing && {
      retrying: { attempt: failing.attempt ?? 1, message: failing.lastFailure?.message ?? '' },
    }),
  };
}

/** What a run does while this activity is going on. */
const phases: { readonly [activity: string]: string } = {
  planSync: 'planning',
  extractBatch: 'reading',
  commitSync: 'committing',
  discardStaged: 'sweeping',
};

/** The newest run that has ended, and the newest that succeeded among those the schedule still lists. */
async function lastRuns(
  client: Client,
  { actions }: ScheduleFacts,
): Promise<{ lastRun?: EndedRun; lastSuccess?: EndedRun }> {
  let lastRun: EndedRun | undefined;
  for (const action of actions.toReversed()) {
    const run = await endedRun(client, action);
    if (!run) continue;
    lastRun ??= run;
    if (run.outcome === 'synced') return { lastRun, lastSuccess: run };
  }
  return lastRun ? { lastRun } : {};
}

/** The server's numbers, by which a schedule remembers runs whose histories have expired. */
const outcomeByNumber: readonly (EndedRun['outcome'] | undefined)[] = [
  'unknown',
  undefined,
  'synced',
  'failed',
  'cancelled',
  'terminated',
  'unknown',
  'timed_out',
];

/** `undefined` for a run that has not ended. */
async function endedRun(
  client: Client,
  { takenAt, workflowId, firstExecutionRunId, status }: ScheduledAction,
): Promise<EndedRun | undefined> {
  const run = { workflowId, started: takenAt.toISOString() };
  const description = await describeRun(client, { workflowId, firstExecutionRunId });
  if (description?.status.name === 'RUNNING') return undefined;
  const { closeTime } = description ?? {};
  const end = description && (await endOf(client, workflowId, firstExecutionRunId));
  if (end) return { ...run, ...(closeTime && { ended: closeTime.toISOString() }), ...end };
  const outcome = outcomeByNumber[status];
  return outcome && { ...run, outcome };
}

/** How a run ended; `undefined` where its history has expired meanwhile. */
async function endOf(
  client: Client,
  workflowId: string,
  firstExecutionRunId: string,
): Promise<Pick<EndedRun, 'outcome' | 'result' | 'failure'> | undefined> {
  try {
    // Follows what the run continued as.
    const result = await client.workflow
      .getHandle<typeof syncTable>(workflowId, firstExecutionRunId)
      .result();
    return { outcome: 'synced', result };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (cause instanceof CancelledFailure) return { outcome: 'cancelled' };
    const outcome =
      cause instanceof TerminatedFailure
        ? 'terminated'
        : cause instanceof TimeoutFailure
          ? 'timed_out'
          : 'failed';
    const failure = asApplicationFailure(cause);
    const { type, message } = failure;
    return { outcome, failure: { error: type ?? 'Error', message, advice: adviceOf(failure) } };
  }
}
