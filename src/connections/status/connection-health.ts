import type { Client } from '@temporalio/client';
import { failureOf } from '../../failure.ts';
import { hideSecrets } from '../../secrets.ts';
import { readSettings } from '../../settings/file.ts';
import { tableNamed } from '../../tables/index.ts';
import { sideBySide } from '../../warehouse/side-by-side.ts';
import { listedSchedules } from '../schedule/schedule-facts.ts';
import { withStatusReader } from './status-reader.ts';
import { healthOf, type Reason, type State, type TableHealth, worstFirst } from './table-health.ts';
import type { TableStatus } from './table-status.ts';

/** One connection of several. */
export type ConnectionHealth = {
  /** Path of its settings. */
  readonly settings: string;
  /** Its name, if the settings could be read. */
  readonly connection?: string;
  /** The worst state of its tables. */
  readonly state: State;
  /** Worst first. */
  readonly tables: readonly TableHealth[];
} & Partial<Reason>;

/** The time limit for one connection: a server that hangs must not hold up the others. */
const limitMs = 30_000;

/**
 * The health of each connection, worst first, including connections that cannot be read.
 * @param files paths of settings
 * @param temporal the server to ask, or why there is none: mistakes in the settings are reported anyway
 */
export async function connectionHealths(
  files: readonly string[],
  temporal: Client | Error,
): Promise<ConnectionHealth[]> {
  const listing = temporal instanceof Error ? temporal : await listingOf(temporal);
  const healths = await sideBySide(files, (file) => connectionHealth(listing, file));
  return healths.sort(worstFirst);
}

/** The schedules of all connections, as the server lists them. */
type Listing = { readonly client: Client; readonly listed: Awaited<ReturnType<typeof listedSchedules>> };

/** The error if the server does not give the list in time. */
async function listingOf(client: Client): Promise<Listing | Error> {
  try {
    const listed = await client.withDeadline(Date.now() + limitMs, () => listedSchedules(client));
    return { client, listed };
  } catch (error) {
    return error as Error;
  }
}

async function connectionHealth(temporal: Listing | Error, file: string): Promise<ConnectionHealth> {
  let connection: string | undefined;
  try {
    const settings = await readSettings(file);
    ({ connection } = settings);
    if (temporal instanceof Error) throw temporal;
    const { client, listed } = temporal;
    const tables = Object.keys(settings.tables).map(tableNamed);
    const statuses = await client.withDeadline(Date.now() + limitMs, () =>
      withStatusReader(client, settings, tables, (read) => read(listed)),
    );
    return worstOf(file, settings.connection, statuses);
  } catch (error) {
    const failure = failureOf(error);
    return {
      settings: file,
      ...(connection !== undefined && { connection }),
      state: 'unreadable',
      tables: [],
      ...failure,
      message: hideSecrets(failure.message),
    };
  }
}

function worstOf(settings: string, connection: string, statuses: readonly TableStatus[]): ConnectionHealth {
  const tables = statuses.map(healthOf).sort(worstFirst);
  return { settings, connection, state: tables[0]?.state ?? 'current', tables };
}
