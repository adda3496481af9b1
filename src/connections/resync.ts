import type { Client, ScheduleDescription } from '@temporalio/client';
import type { SyncTableInput } from '../../workflows/contract.ts';
import { DestinationError } from '../errors.ts';
import { nestedIn } from '../tables/nested/index.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { type PerTable, perTable } from './per-table.ts';
import type { Scheduled } from './schedule/schedule-lookup.ts';
import { isOnThisHost, ownerOf } from './schedule/schedule-owner.ts';
import { withAccount } from './schedule/schedule-options.ts';
import { type Triggered, triggerTable } from './schedule/trigger.ts';

/**
 * Throws `DestinationError` if the tables lie in a folder of another host, which cannot be reached from here. A bucket
 * is the same from everywhere.
 */
export function assertOnThisHost(destination: string, schedules: readonly Scheduled[]): void {
  const isHere = ({ description }: Scheduled) => {
    const owner = ownerOf(description);
    return owner !== undefined && isOnThisHost(owner, destination);
  };
  if (schedules.every(isHere)) return;
  throw new DestinationError(
    `The tables in ${destination} are written on another host.`,
    'Run resync on the host of the worker.',
  );
}

/** Makes tables forget their watermark and account, and starts a run of each, which then reads everything. */
export function resyncTables(
  { client, warehouse }: { readonly client: Client; readonly warehouse: Pick<Warehouse, 'resetState'> },
  schedules: readonly Scheduled[],
): Promise<PerTable<{ readonly triggered: Triggered }>[]> {
  const descriptions = new Map(schedules.map(({ table, description }) => [table, description]));
  return perTable([...descriptions.keys()], async (table) => {
    const description = descriptions.get(table)!;
    await warehouse.resetState(table);
    for (const nested of nestedIn(table.name)) await warehouse.resetState(nested);
    await forgetAccount(client, description);
    return { triggered: await triggerTable(client, description) };
  });
}

/** Lets the schedule's runs use any account; the table that they commit into remembers its account. */
async function forgetAccount(client: Client, { scheduleId, action }: ScheduleDescription): Promise<void> {
  const [input] = (action.args ?? []) as [SyncTableInput | undefined];
  if (input === undefined || input.run.account === 'unknown') return;
  const args = withAccount(input, 'unknown');
  await client.schedule
    .getHandle(scheduleId)
    .update((before) => ({ ...before, action: { ...before.action, args } }));
}
