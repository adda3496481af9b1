import type { Client } from '@temporalio/client';
import type { Settings } from '../../settings/settings.ts';
import { hostName } from '../../temporal/names.ts';
import { placeOf } from '../../warehouse/store/destination.ts';
import { ownerOf } from './schedule-owner.ts';

/** Another connection that syncs into the same destination. */
export type Neighbour = { readonly connection: string; readonly tables: readonly string[] };

/** The most that the server lists at once. */
const pageSize = 1_000;

/**
 * The other connections that sync into the destination of these settings, by the server's list of schedules, which is
 * seconds old. If two sync the same table, each run's commit makes the other's start again.
 */
export async function neighboursOf(
  client: Client,
  { connection, destination }: Settings,
): Promise<Neighbour[]> {
  const place = placeOf(destination, hostName());
  const found = new Map<string, string[]>();
  for await (const schedule of client.schedule.list({ pageSize })) {
    const owner = ownerOf(schedule);
    if (!owner || owner.connection === connection) continue;
    if (placeOf(owner.destination, owner.host) !== place) continue;
    const table = schedule.scheduleId.split(':').at(-1)!;
    found.set(owner.connection, [...(found.get(owner.connection) ?? []), table]);
  }
  return [...found].map(([connection, tables]) => ({ connection, tables: tables.toSorted() }));
}
