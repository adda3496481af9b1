import type { Client } from '@temporalio/client';
import { defined } from '../../defined.ts';
import { isForeseen } from '../../failure.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Table } from '../../tables/table.ts';
import { openDestination } from '../../warehouse/open-warehouse.ts';
import type { Warehouse } from '../../warehouse/warehouse.ts';
import type { listedSchedules } from '../schedule/schedule-facts.ts';
import { type LastHints, lastHintsOf } from './last-hints.ts';
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
  const read: ReadStatuses = async (listed) => {
    const [hints, statuses] = await Promise.all([
      hintsIfTaken(settings, warehouse),
      Promise.all(
        tables.map((table) => statusOf(client, settings, table, warehouse, listed?.(settings, table.name))),
      ),
    ]);
    return statuses.map((status) => ({ ...status, ...defined({ lastHint: hints[status.table] }) }));
  };
  try {
    return await work(read);
  } finally {
    await warehouse.close();
  }
}

/** None if the destination cannot be read: the status of each table says so. */
async function hintsIfTaken({ webhooks, connection }: Settings, warehouse: Warehouse): Promise<LastHints> {
  if (!webhooks) return {};
  try {
    return await lastHintsOf(warehouse, connection);
  } catch (error) {
    if (!isForeseen(error)) throw error;
    return {};
  }
}
