import { rm } from 'node:fs/promises';
import type { Client } from '@temporalio/client';
import { UsageError } from '../errors.ts';
import { createClient } from '../incident-io/client.ts';
import { type Identity, readIdentity } from '../incident-io/identity.ts';
import { readPermissions, type TablePermission } from '../incident-io/permissions.ts';
import { readSettings } from '../settings/file.ts';
import { ownKeyFile, writeKeyFile } from '../settings/key-file.ts';
import type { Settings } from '../settings/settings.ts';
import { writeSettings } from '../settings/write.ts';
import type { Table } from '../tables/table.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { applySchedules, type Removed, type TableChange } from './apply.ts';

/** Whose key it is, and what it can read. */
export type KeyFacts = { readonly identity: Identity; readonly permissions: readonly TablePermission[] };

/** Asks whose key it is and which of the tables it can read. Throws `CredentialsError` for a wrong or revoked key. */
export async function readKeyFacts(
  { apiKey, baseUrl }: { readonly apiKey: string; readonly baseUrl: string },
  tables: readonly Table[],
  signal: AbortSignal,
): Promise<KeyFacts> {
  const client = createClient({ apiKey, baseUrl });
  const identity = await readIdentity(client, { signal });
  return { identity, permissions: await readPermissions(client, tables, { signal }) };
}

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

/** A connection to be made. */
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
  if (key !== undefined && written !== undefined) await writeKeyFile(written, key, { replace });
  try {
    await writeSettings(file, settings, { replace });
  } catch (error) {
    // A key that no settings name would lie there forever.
    if (written !== undefined) await rm(written, { force: true });
    throw error;
  }
  const own = ownKeyFile(connection);
  // The key of the connection as it was linked before, if nothing names it any more.
  if (replace && !('file' in apiKey && apiKey.file === own)) await rm(own, { force: true });
  return applySchedules(client, settings, changes, signal);
}
