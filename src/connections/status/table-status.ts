import type { Client } from '@temporalio/client';
import { type Failure, failureOf } from '../../failure.ts';
import type { Settings, TableSettings } from '../../settings/settings.ts';
import type { Table } from '../../tables/table.ts';
import { scheduleId, tableWorkflowId } from '../../temporal/names.ts';
import type { Warehouse } from '../../warehouse/warehouse.ts';
import { type EndedRun, lastRuns } from '../runs/ended-runs.ts';
import {
  deadlineOf,
  type Freshness,
  freshnessAfter,
  freshnessByList,
  freshnessOf,
  isWell,
} from './freshness.ts';
import { knownRuns } from '../runs/known-runs.ts';
import { type RunInProgress, runsInProgress } from '../runs/run-in-progress.ts';
import { describedSchedule, type ScheduleFacts } from '../schedule/schedule-facts.ts';
import { otherDestination } from '../schedule/schedule-owner.ts';

/** How a table of a connection is doing. Times are RFC 3339, UTC. */
export type TableStatus = TableSettings & {
  readonly table: string;
  readonly schedule: 'active' | 'paused' | 'missing';
  /** Why it was paused. */
  readonly note?: string;
  readonly running?: RunInProgress;
  /** Another run follows the one in progress. */
  readonly buffered: boolean;
  readonly lastRun?: EndedRun;
  /** When the last successful run ended; if the server has forgotten it, up to when the table is complete. */
  readonly lastSuccess?: string;
  /** Rows of the table as committed. */
  readonly rows?: number;
  readonly watermark?: string;
  readonly lastFullRead?: string;
  /** Seconds since the time up to which the table is complete. */
  readonly lagSeconds?: number;
  /** The time since which the table is late; missing if it is not. */
  readonly lateSince?: string;
  readonly nextRun?: string;
  /** Why the table cannot be read. */
  readonly tableError?: Failure;
  /** When the last webhook for the table arrived; missing if none did, or if the connection does not use webhooks. */
  readonly lastHint?: string;
};

/**
 * Reads how a table is doing from its schedule, its last runs and its own log.
 * @param listed the schedule from the server's list. If it and the table agree that all is well, nothing else is
 * asked, and runs are left out.
 */
export async function statusOf(
  client: Client,
  settings: Settings,
  table: Table,
  warehouse: Warehouse,
  listed?: ScheduleFacts,
): Promise<TableStatus> {
  const { connection, destination, tables } = settings;
  const base = { table: table.name, ...tables[table.name]! };
  const schedule = listed ?? (await describedSchedule(client, settings, table.name));
  // A folder of another host cannot be read here; the last successful run's result says what it committed.
  if (schedule?.elsewhere !== undefined) {
    const tableError = failureOf(otherDestination(connection, schedule.elsewhere, destination));
    return { ...base, ...scheduleFields(schedule), tableError };
  }
  const here = !schedule || schedule.isHere ? await freshnessOf(warehouse, table) : undefined;
  if (listed) {
    const known = here ?? freshnessByList(listed);
    if (isWell(listed, base.every, known)) {
      return { ...base, ...scheduleFields(listed), ...fieldsOf(known) };
    }
  }
  const known = await knownRuns(client, scheduleId(connection, table.name), schedule);
  const [running] = await runsInProgress(client, known.running, tableWorkflowId(destination, table.name));
  const { lastRun, lastSuccess } = await lastRuns(client, known.runs);
  const fresh = here ?? freshnessAfter(lastSuccess);
  const success = lastSuccess?.ended ?? lastSuccess?.started ?? fresh.completeTo;
  const lateSince = schedule && (await lateness(base, schedule, fresh, running, lastSuccess));
  return {
    ...base,
    ...(schedule ? scheduleFields(schedule) : { schedule: 'missing', buffered: false }),
    ...(running && { running }),
    ...(lastRun && { lastRun }),
    ...(success !== undefined && { lastSuccess: success }),
    ...fieldsOf(fresh),
    ...(lateSince !== undefined && { lateSince }),
  };
}

/**
 * A quick first status from the server's list of schedules and the table's own log, until the rest is read: without
 * runs, so it does not show a failure. A schedule that is not listed (yet) counts as active.
 */
export async function firstStatusOf(
  { tables }: Settings,
  table: Table,
  warehouse: Warehouse,
  listed: ScheduleFacts | undefined,
): Promise<TableStatus> {
  const fresh = listed?.isHere === false ? freshnessByList(listed) : await freshnessOf(warehouse, table);
  return {
    table: table.name,
    ...tables[table.name]!,
    ...(listed ? scheduleFields(listed) : { schedule: 'active', buffered: false }),
    ...fieldsOf(fresh),
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

function fieldsOf({ completeTo: _completeTo, ...fields }: Freshness): Omit<Freshness, 'completeTo'> {
  return fields;
}

/** The time since which a table is late; `undefined` if it is not. */
async function lateness(
  { every }: TableSettings,
  schedule: ScheduleFacts,
  fresh: Freshness,
  running: RunInProgress | undefined,
  lastSuccess: EndedRun | undefined,
): Promise<string | undefined> {
  // A first sync may take longer than any frequency.
  const isFirst = fresh.completeTo === undefined && running?.workerAnswers === true;
  if (schedule.paused || fresh.tableError || isFirst) return undefined;
  const deadline = await deadlineOf(every, schedule, fresh, lastSuccess?.result);
  return deadline < Date.now() ? new Date(deadline).toISOString() : undefined;
}
