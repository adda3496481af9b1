import type { Client } from '@temporalio/client';
import { UsageError } from '../../errors.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Table } from '../../tables/table.ts';
import { type PerTable, perTable } from '../per-table.ts';
import { scheduledTable } from './schedule-lookup.ts';

const longestNote = 1_000;

/**
 * Pauses the schedules of tables; a run in progress finishes.
 * @param note why, for people who look at the status
 *
 * Throws `UsageError` for a note that is too long for the server to keep.
 */
export async function pauseTables(
  client: Client,
  settings: Settings,
  tables: readonly Table[],
  note: string,
): Promise<PerTable<{ readonly schedule: 'paused'; readonly note: string }>[]> {
  if (note.length > longestNote) {
    throw new UsageError(
      `The note has ${note.length} characters; the limit is ${longestNote}.`,
      'Give a shorter --note.',
    );
  }
  return perTable(tables, async (table) => {
    const { id } = await scheduledTable(client, settings, table);
    await client.schedule.getHandle(id).pause(note);
    return { schedule: 'paused', note };
  });
}

/** Lets the schedules of tables start runs again. `nextRunAt` is RFC 3339, UTC. */
export function resumeTables(
  client: Client,
  settings: Settings,
  tables: readonly Table[],
): Promise<PerTable<{ readonly schedule: 'active'; readonly nextRunAt?: string }>[]> {
  return perTable(tables, async (table) => {
    const { id } = await scheduledTable(client, settings, table);
    const handle = client.schedule.getHandle(id);
    await handle.unpause('resumed with incident-io-source resume');
    const [next] = (await handle.describe()).info.nextActionTimes;
    return { schedule: 'active', ...(next && { nextRunAt: next.toISOString() }) };
  });
}
