import { rm } from 'node:fs/promises';
import type { Client } from '@temporalio/client';
import { UsageError } from '../errors.ts';
import { readSettings } from '../settings/file.ts';
import { ownKeyFileIfAny, writeKeyFile } from '../settings/key-file.ts';
import type { Settings } from '../settings/settings.ts';
import { writeSettings } from '../settings/write.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { applySchedules, type Removed, type TableChange } from './apply.ts';

/**
 * Throws `UsageError` if a settings file belongs to another connection: replaced, it would leave schedules behind that
 * no settings name.
 */
export async function assertSameName(file: string, connection: string): Promise<void> {
  let before: Settings;
  try {
    before = await readSettings(file);
  } catch (error) {
    // A file that holds no settings names no connection.
    if (error instanceof UsageError) return;
    throw error;
  }
  if (before.connection === connection) return;
  throw new UsageError(
    `${file} belongs to the connection ${before.connection}.`,
    'Unlink that connection first, or write another file (--settings).',
  );
}

/** A connection to create. */
export type NewConnection = {
  /** Path of its settings file. */
  readonly file: string;
  readonly settings: Settings;
  /** The key, if it has to be written to the file that the settings name. */
  readonly key?: string;
  /** Whether a settings file and a key file that exist are replaced. */
  readonly replace: boolean;
};

/**
 * Makes a connection: checks that its destination can be written to, writes key and settings, creates the schedules.
 * @param changes the plan for these settings
 *
 * Throws `DestinationError`, and `UsageError` if one of the files exists and is not to be replaced.
 */
export async function linkConnection(
  {
    client,
    warehouse,
    signal,
  }: {
    readonly client: Client;
    readonly warehouse: Pick<Warehouse, 'assertWritable'>;
    readonly signal: AbortSignal;
  },
  { file, settings, key, replace }: NewConnection,
  changes: readonly TableChange[],
): Promise<Removed> {
  const { connection, apiKey } = settings;
  await warehouse.assertWritable();
  const written = key !== undefined && 'file' in apiKey ? apiKey.file : undefined;
  const keyFile =
    key !== undefined && written !== undefined ? await writeKeyFile(written, key, { replace }) : undefined;
  try {
    await writeSettings(file, settings, { replace });
  } catch (error) {
    // Without this, a key that no settings name would stay forever. A key that it was to replace is still the one in use.
    await keyFile?.discard();
    throw error;
  }
  await keyFile?.place();
  const own = ownKeyFileIfAny(connection);
  const isNamed = 'file' in apiKey && apiKey.file === own;
  // The key file from an earlier link of this connection, if nothing refers to it any more.
  if (replace && own !== undefined && !isNamed) await rm(own, { force: true });
  return applySchedules(client, settings, changes, signal);
}
