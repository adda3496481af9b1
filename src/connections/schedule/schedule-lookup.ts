import type { Client, ScheduleDescription } from '@temporalio/client';
import { ScheduleNotFoundError } from '@temporalio/client/lib/schedule-client.js';
import { UsageError } from '../../errors.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Table } from '../../tables/table.ts';
import { scheduleId } from '../../temporal/names.ts';
import { sideBySide } from '../../warehouse/side-by-side.ts';
import type { Run } from '../runs/runs.ts';
import { isSameDestination, otherDestination, ownerOf } from './schedule-owner.ts';

/** A schedule as it is now; `undefined` if there is none. Costly: the server replays the schedule to answer. */
export async function describeSchedule(client: Client, id: string): Promise<ScheduleDescription | undefined> {
  try {
    return await client.schedule.getHandle(id).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** The same, for a schedule that has to exist. Throws `UsageError` if it does not. */
export async function scheduleOf(client: Client, id: string): Promise<ScheduleDescription> {
  const schedule = await describeSchedule(client, id);
  if (schedule) return schedule;
  throw new UsageError(
    `There is no schedule ${id} on this Temporal server.`,
    'Run incident-io-source apply, which creates the schedules of the settings.',
  );
}

/** A table and its schedule. */
export type Scheduled = {
  readonly table: Table;
  readonly id: string;
  readonly description: ScheduleDescription;
};

/** The schedule of a connection's table. Throws `UsageError` if there is none, or if it syncs into another destination. */
export async function scheduledTable(
  client: Client,
  { connection, destination }: Settings,
  table: Table,
): Promise<Scheduled> {
  const id = scheduleId(connection, table.name);
  const description = await scheduleOf(client, id);
  const owner = ownerOf(description);
  if (owner && !isSameDestination(owner, destination)) {
    throw otherDestination(connection, owner.destination, destination);
  }
  return { table, id, description };
}

/** The schedules of several tables, a few at a time. Throws as `scheduledTable` does, before anything is changed. */
export function scheduledTables(
  client: Client,
  settings: Settings,
  tables: readonly Table[],
): Promise<Scheduled[]> {
  return sideBySide(tables, (table) => scheduledTable(client, settings, table));
}

/** Triggers that wait for a run to end; a schedule keeps at most one. */
export function bufferedIn({ raw }: ScheduleDescription): number {
  return Number(raw.info?.bufferSize ?? 0);
}

/** The runs that a schedule believes to be in progress; its list may still hold one that has ended. */
export function runningIn(schedule: ScheduleDescription | undefined): Run[] {
  return schedule?.info.runningActions.map(({ workflow }) => workflow) ?? [];
}
