import type { Client, ScheduleDescription } from '@temporalio/client';
import { ScheduleOverlapPolicy } from '@temporalio/client/lib/schedule-types.js';
import type { Settings } from '../../settings/settings.ts';
import type { Table } from '../../tables/table.ts';
import { openRuns } from '../runs/open-runs.ts';
import { type PerTable, perTable } from '../per-table.ts';
import { bufferedIn, runningIn, scheduledTable } from './schedule-lookup.ts';

/** `buffered`: a run is in progress and another follows it · `buffered_before`: another was waiting already. */
export type Triggered = 'started' | 'buffered' | 'buffered_before';

/** Starts a run of a table's schedule now, or after the run in progress has ended. */
export async function triggerTable(client: Client, schedule: ScheduleDescription): Promise<Triggered> {
  const open = await openRuns(client, runningIn(schedule));
  // By default the server would run it next to the other one, and the result of one of the two would be lost.
  await client.schedule.getHandle(schedule.scheduleId).trigger(ScheduleOverlapPolicy.BUFFER_ONE);
  if (open.length === 0) return 'started';
  return bufferedIn(schedule) > 0 ? 'buffered_before' : 'buffered';
}

/** The same for tables of a connection, by their schedules. */
export function triggerTables(
  client: Client,
  settings: Settings,
  tables: readonly Table[],
): Promise<PerTable<{ readonly triggered: Triggered }>[]> {
  return perTable(tables, async (table) => {
    const { description } = await scheduledTable(client, settings, table);
    return { triggered: await triggerTable(client, description) };
  });
}
