import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { SourceError, TemporalUnavailableError, UsageError } from '../../../errors.ts';
import { hideSecrets } from '../../../secrets.ts';
import { readSettings } from '../../../settings/file.ts';
import type { Settings } from '../../../settings/settings.ts';
import { tableNamed } from '../../../tables/index.ts';
import type { Table } from '../../../tables/table.ts';
import {
  connectionStatus,
  type ConnectionStatus,
  needsSomebody,
  type State,
  states,
  type TableState,
  worstFirst,
} from '../../../connections/fleet.ts';
import type { TableStatus } from '../../../connections/status.ts';
import type { listedSchedules } from '../../../connections/schedule-facts.ts';
import { count, type PrintedColumn, printJson, printTable, span } from '../../terminal/output.ts';
import type { Session } from '../../session.ts';
import { withTemporal } from '../../options/settings-options.ts';

/** Connections that are asked about side by side; each asks a few questions a table. */
const atOnce = 16;
/** For all questions of one connection: a server that hangs must not hold up the others. */
const limitMs = 30_000;

/** Calls `work` with what reads the tables' statuses, while the connection's destination is open. */
export async function readingStatuses<T>(
  client: Client,
  settings: Settings,
  tables: readonly Table[],
  work: (read: (listed?: Listing['listed']) => Promise<TableStatus[]>) => Promise<T>,
): Promise<T> {
  const [{ statusOf }, { openDestination }] = await Promise.all([
    import('../../../connections/status.ts'),
    import('../../../warehouse/open-warehouse.ts'),
  ]);
  const warehouse = await openDestination(settings.destination);
  try {
    return await work((listed) =>
      Promise.all(
        tables.map((table) => statusOf(client, settings, table, warehouse, listed?.(settings, table.name))),
      ),
    );
  } finally {
    await warehouse.close();
  }
}

/** The settings files that are named, and those in folders that are. Throws `UsageError` where a folder has none. */
export async function settingsIn(paths: readonly string[]): Promise<string[]> {
  const files = await Promise.all(
    paths.map(async (path) => {
      const isFolder = (await stat(path).catch(() => undefined))?.isDirectory();
      // What cannot be looked at is told of when it is read.
      if (isFolder !== true) return [path];
      const names = (await readdir(path)).filter((name) => name.endsWith('.json')).sort();
      if (names.length > 0) return names.map((name) => join(path, name));
      throw new UsageError(
        `The folder ${path} holds no settings files.`,
        'They end in .json; name one, or a folder of them, with --settings.',
      );
    }),
  );
  return [...new Set(files.flat())];
}

/**
 * Tells of each connection in a line, worst first: whether it is current, and if not, why and what to do. What cannot
 * be read is a line too.
 */
export async function fleetStatus(session: Session, files: readonly string[], json: boolean): Promise<void> {
  const read = (temporal: Listing | Error) =>
    sideBySide(files, atOnce, (file) => statusOfConnection(temporal, file));
  const connections = await withTemporal(session, async (client) => read(await listing(client))).catch(
    (error: unknown) => {
      if (!(error instanceof TemporalUnavailableError)) throw error;
      return read(error);
    },
  );
  connections.sort(worstFirst);
  if (connections.some(({ state }) => needsSomebody(state))) session.exitCode = 1;
  if (json) {
    printJson(session.stdout, connections);
    return;
  }
  printTable(session.stdout, connections, columns);
  session.stdout.write(`${summary(connections)}\n`);
}

/** What all connections' schedules are looked up in. */
type Listing = { readonly client: Client; readonly listed: Awaited<ReturnType<typeof listedSchedules>> };

/** The error where the server does not give the list in time. */
async function listing(client: Client): Promise<Listing | Error> {
  const { listedSchedules } = await import('../../../connections/schedule-facts.ts');
  try {
    return {
      client,
      listed: await client.withDeadline(Date.now() + limitMs, () => listedSchedules(client)),
    };
  } catch (error) {
    return error as Error;
  }
}

/** @param temporal or why there is none: settings that are wrong are told of all the same. */
async function statusOfConnection(temporal: Listing | Error, file: string): Promise<ConnectionStatus> {
  let connection: string | undefined;
  try {
    const settings = await readSettings(file);
    ({ connection } = settings);
    if (temporal instanceof Error) throw temporal;
    const { client, listed } = temporal;
    const tables = Object.keys(settings.tables).map(tableNamed);
    const statuses = await client.withDeadline(Date.now() + limitMs, () =>
      readingStatuses(client, settings, tables, (read) => read(listed)),
    );
    return connectionStatus(file, settings.connection, statuses);
  } catch (error) {
    const { name, message } = error as Error;
    return {
      settings: file,
      ...(connection !== undefined && { connection }),
      state: 'unreadable',
      tables: [],
      error: name,
      message: hideSecrets(message),
      ...(error instanceof SourceError && { advice: error.advice }),
    };
  }
}

/** The results in the items' order, of which so many are worked on at once. */
async function sideBySide<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const open = items.entries();
  const lane = async () => {
    for (const [index, item] of open) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return results;
}

const said: { readonly [S in State]: string } = {
  unreadable: 'UNREADABLE',
  failing: 'FAILING',
  late: 'LATE',
  paused: 'paused',
  first_sync: 'first sync',
  current: 'current',
};

const columns: readonly PrintedColumn<ConnectionStatus>[] = [
  { head: 'connection', value: ({ connection, settings }) => connection ?? settings },
  { head: 'state', value: ({ state }) => said[state] },
  { head: 'why', value: why, wrap: true },
];

/** What is wrong, in a line: the first of its tables in the worst state speaks for all of them. */
function why({ state, tables, ...own }: ConnectionStatus): string {
  const [first, ...others] = tables.filter((table) => table.state === state);
  const reason = first ?? own;
  const which = first && state !== 'current' ? namesOf([first, ...others], tables.length) : '';
  const since =
    first?.lagSeconds === undefined || state !== 'late' ? '' : ` ${span(first.lagSeconds)} behind`;
  const message = reason.message === undefined ? '' : oneLine(reason.message);
  const head = [which + since, message].filter((part) => part !== '').join(': ');
  return hideSecrets(reason.advice === undefined ? head : `${head} → ${oneLine(reason.advice)}`);
}

function namesOf(tables: readonly TableState[], all: number): string {
  if (tables.length === all) return all === 1 ? tables[0]!.table : `all ${all} tables`;
  const [first, second, ...more] = tables.map(({ table }) => table);
  if (second === undefined) return first!;
  return more.length === 0 ? `${first}, ${second}` : `${first}, ${second} and ${more.length} more`;
}

const oneLine = (text: string) => text.replaceAll(/\s*\n\s*/g, ' ');

/** `100 connections: 1 unreadable, 2 failing, 97 current` */
function summary(connections: readonly ConnectionStatus[]): string {
  const numbers = states
    .map((state) => [state, connections.filter((one) => one.state === state).length] as const)
    .filter(([, number]) => number > 0)
    .map(([state, number]) => `${number} ${said[state].toLowerCase()}`);
  return `${count(connections.length, 'connection')}: ${numbers.join(', ')}`;
}
