import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import { ownKeyFileIfAny } from '../settings/key-file.ts';
import type { Settings } from '../settings/settings.ts';
import { tableNamed } from '../tables/index.ts';
import { nestedIn } from '../tables/nested/index.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { unlinked } from './runs/run-end.ts';
import { applySchedules, planApply, type Removed } from './apply.ts';

/** The files that are deleted with a connection: its settings, and the key file if `link` wrote it. Absolute paths. */
export function filesOf(file: string, { connection, apiKey }: Settings): string[] {
  const own = ownKeyFileIfAny(connection);
  return [resolve(file), ...(own !== undefined && 'file' in apiKey && apiKey.file === own ? [own] : [])];
}

/**
 * Ends a connection: deletes its schedules, its runs, what they staged, and its files. The tables stay.
 * @param file path of the settings
 * @returns the tables whose schedule was deleted
 *
 * Throws as `planApply` does, before anything is changed.
 */
export async function unlinkConnection(
  {
    client,
    warehouse,
    signal,
  }: {
    readonly client: Client;
    readonly warehouse: Pick<Warehouse, 'discardAll'>;
    readonly signal: AbortSignal;
  },
  file: string,
  settings: Settings,
): Promise<string[]> {
  const { tables, unanswered } = await removeSchedules(client, settings, signal);
  for (const id of unanswered) {
    // No worker is there to carry out the cancellation, and none writes: the run's staging is deleted below.
    await client.workflow.getHandle(id).terminate(unlinked);
  }
  for (const table of new Set([...tables, ...Object.keys(settings.tables)])) {
    for (const one of [tableNamed(table), ...nestedIn(table)]) await warehouse.discardAll(one);
  }
  // The settings last: until they are gone, a command that was interrupted can be run again.
  for (const path of filesOf(file, settings).toReversed()) await rm(path, { force: true });
  return tables;
}

/** Deletes all schedules of a connection. Throws as `planApply` does. */
export async function removeSchedules(
  client: Client,
  settings: Settings,
  signal: AbortSignal,
): Promise<Removed & { readonly tables: string[] }> {
  const changes = await planApply(client, { ...settings, tables: {} }, 'unknown');
  const { unanswered } = await applySchedules(client, settings, changes, signal);
  return { tables: changes.map(({ table }) => table), unanswered };
}
