import type { Client } from '@temporalio/client';
import type { Settings } from '../../settings/settings.ts';
import type { Table } from '../../tables/table.ts';
import { openDestination } from '../../warehouse/open-warehouse.ts';
import type { listedSchedules } from '../schedule/schedule-facts.ts';
import { statusOf, type TableStatus } from './table-status.ts';

/** Reads the statuses now; from the server's list of schedules, if it is given. */
export type ReadStatuses = (listed?: Awaited<ReturnType<typeof listedSchedules>>) => Promise<TableStatus[]>;

/** Opens the connection's destination and calls `work` with a function that reads the tables' statuses. */
export async function withStatusReader<T>(
  client: Client,
  settings: Settings,
  tables: readonly Table[],
  work: (read: ReadStatuses) => Promise<T>,
): Promise<T> {
  const warehouse = await openDestination(settings.destination);
  // All tables at once: a run whose worker does not respond makes its table wait for more than a second.
  const read: ReadStatuses = (listed) =>
    Promise.all(
      tables.map((table) => statusOf(client, settings, table, warehouse, listed?.(settings, table.name))),
    );
  try {
    return await work(read);
  } finally {
    await warehouse.close();
  }
}
