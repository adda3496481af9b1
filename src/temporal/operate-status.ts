import {
  type Client,
  type ScheduleDescription,
  type ScheduleExecutionResult,
  WorkflowFailedError,
  type WorkflowExecutionDescription,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { adviceOf, asApplicationFailure } from '../../workflows/failures.ts';
import type { syncTable, SyncTableResult } from '../../workflows/sync-table.ts';
import { SourceError } from '../errors.ts';
import type { Settings, TableSettings } from '../settings.ts';
import type { Table } from '../tables/table.ts';
import type { TableState, Warehouse } from '../warehouse/warehouse.ts';
import { runId, scheduleId, workerQueue } from './names.ts';
import { bufferedIn, describeRun, describeSchedule, openRuns, progressIfAnswered } from './operate.ts';
import type { RunProgress } from './runs.ts';

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
  readonly nextRun?: string;
  /** The table cannot be read, and why. */
  readonly tableError?: { readonly error: string; readonly message: string; readonly advice: string };
};

/** Reads how a table is doing from its schedule, its last runs and what the table says about itself. */
export async function statusOf(
  client: Client,
  settings: Settings,
  table: Table,
  warehouse: Warehouse,
): Promise<TableStatus> {
  const { connection, destination, tables } = settings;
  const base = { table: table.name, ...tables[table.name]! };
  const schedule = await describeSchedule(client, scheduleId(connection, table.name));
  // On another host there is no folder to look into; the last run knows what it committed.
  const here = !schedule || schedule.action.taskQueue === workerQueue(destination);
  const { state, tableError } = here ? await readState(warehouse, table) : {};
  const found = { ...stateFields(state), ...(tableError && { tableError }) };
  const [running] = await goingRuns(client, schedule, runId(destination, table.name));
  if (!schedule) {
    return {
      ...base,
      schedule: 'missing',
      ...(running && { running }),
      buffered: false,
      ...fieldsOf(found),
    };
  }

  const { paused, note } = schedule.state;
  const { lastRun, lastSuccess } = await lastRuns(client, schedule);
  const committed = here ? found : resultFields(lastSuccess);
  const success = lastSuccess?.ended ?? lastSuccess?.started ?? committed.completeTo;
  const [next] = schedule.info.nextActionTimes;
  return {
    ...base,
    schedule: paused ? 'paused' : 'active',
    ...(paused && note && { note }),
    ...(running && { running }),
    buffered: bufferedIn(schedule) > 0,
    ...(lastRun && { lastRun }),
    ...(success !== undefined && { lastSuccess: success }),
    ...fieldsOf(committed),
    ...(!paused && next && { nextRun: next.toISOString() }),
  };
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

function resultFields(run: EndedRun | undefined): Committed {
  return run?.result ? committedOf(run.result.rows, run.result.watermark, undefined) : {};
}

function committedOf(rows: number, watermark: number | undefined, fullReadAt: number | undefined): Committed {
  const completeTo = Math.max(watermark ?? 0, fullReadAt ?? 0);
  return {
    rows,
    ...(watermark !== undefined && { watermark: new Date(watermark).toISOString() }),
    ...(fullReadAt !== undefined && { lastFullRead: new Date(fullReadAt).toISOString() }),
    ...(completeTo > 0 && {
      completeTo: new Date(completeTo).toISOString(),
      lagSeconds: Math.max(0, Math.round((Date.now() - completeTo) / 1000)),
    }),
  };
}

/** The schedule's runs that are going on, and the one that somebody started by hand. */
async function goingRuns(
  client: Client,
  schedule: ScheduleDescription | undefined,
  byHand: string,
): Promise<GoingRun[]> {
  const open = await openRuns(client, schedule, byHand);
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
  schedule: ScheduleDescription,
): Promise<{ lastRun?: EndedRun; lastSuccess?: EndedRun }> {
  const remembered = schedule.raw.info?.recentActions ?? [];
  const actions = schedule.info.recentActions
    .map((action, index) => ({ action, status: remembered[index]?.startWorkflowStatus ?? 0 }))
    .reverse();
  let lastRun: EndedRun | undefined;
  for (const { action, status } of actions) {
    const run = await endedRun(client, action, status);
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
  { takenAt, action: { workflow } }: ScheduleExecutionResult,
  rememberedStatus: number,
): Promise<EndedRun | undefined> {
  const { workflowId, firstExecutionRunId } = workflow;
  const run = { workflowId, started: takenAt.toISOString() };
  const description = await describeRun(client, workflow);
  if (description?.status.name === 'RUNNING') return undefined;
  const { closeTime } = description ?? {};
  const end = description && (await endOf(client, workflowId, firstExecutionRunId));
  if (end) return { ...run, ...(closeTime && { ended: closeTime.toISOString() }), ...end };
  const outcome = outcomeByNumber[rememberedStatus];
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
