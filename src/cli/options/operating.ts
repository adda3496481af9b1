import type { Client, ScheduleDescription } from '@temporalio/client';
import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import { readSettings } from '../../settings/file.ts';
import { defaultSettingsFile, type Settings } from '../../settings/settings.ts';
import { tableNamed } from '../../tables/index.ts';
import type { Table } from '../../tables/table.ts';
import { scheduleId } from '../../temporal/names.ts';
import { printJson } from '../terminal/output.ts';
import type { Session } from '../session.ts';

/** The options of commands that look after a connection's schedules. */
export type OperatingOptions = { readonly settings: string; readonly json?: true };

/** Adds the tables and the settings file such a command works on. */
export function addOperatingOptions(command: Command): Command {
  return command
    .argument('[table...]', 'the tables; all of the settings when none is named')
    .option('--settings <file>', 'the settings of the connection', defaultSettingsFile)
    .option('--json', 'print JSON');
}

/** What such a command works with. */
export type Operated = {
  readonly client: Client;
  readonly settings: Settings;
  /** Those that were named, or all of the settings. */
  readonly tables: readonly Table[];
};

/** Reads the settings and connects to Temporal for as long as `work` lasts. */
export async function operating<T>(
  session: Session,
  names: readonly string[],
  { settings: file }: OperatingOptions,
  work: (operated: Operated) => Promise<T>,
): Promise<T> {
  const settings = await readSettings(file);
  const tables = chosenTables(settings, file, names);
  const [{ Client }, { connectTemporal }] = await Promise.all([
    import('@temporalio/client'),
    import('../../temporal/connection.ts'),
  ]);
  const report = (line: string) => void session.stderr.write(`${line}\n`);
  const { connection, namespace, close } = await connectTemporal({ env: process.env, report });
  try {
    return await work({ client: new Client({ connection, namespace }), settings, tables });
  } finally {
    await close();
  }
}

/** A table and its schedule. */
export type Scheduled = {
  readonly table: Table;
  readonly id: string;
  readonly description: ScheduleDescription;
};

/** The tables' schedules: where one is missing, or is another's, nothing has been changed yet. Throws `UsageError`. */
export async function schedulesOf({ client, settings, tables }: Operated): Promise<Scheduled[]> {
  const { connection, destination } = settings;
  const [{ scheduleOf }, { isSameDestination, otherDestination, ownerOf }] = await Promise.all([
    import('../../connections/operate.ts'),
    import('../../connections/schedules.ts'),
  ]);
  return Promise.all(
    tables.map(async (table) => {
      const id = scheduleId(connection, table.name);
      const description = await scheduleOf(client, id, table.name);
      const owner = ownerOf(description);
      if (owner && !isSameDestination(owner, destination)) {
        throw otherDestination(connection, owner.destination, destination);
      }
      return { table, id, description };
    }),
  );
}

/** Tells of each table in a line, or as JSON of all. */
export function tell<Done extends { readonly table: string }>(
  { stdout }: Session,
  { json }: OperatingOptions,
  done: readonly Done[],
  sentence: (done: Done) => string,
): void {
  if (json) printJson(stdout, done);
  else for (const each of done) stdout.write(`${each.table}: ${sentence(each)}\n`);
}

function chosenTables(settings: Settings, file: string, names: readonly string[]): Table[] {
  const known = Object.keys(settings.tables);
  if (names.length === 0) return known.map(tableNamed);
  return [...new Set(names)].map((name) => {
    const table = tableNamed(name);
    if (known.includes(name)) return table;
    throw new UsageError(
      `${file} has no table ${name}.`,
      `Add it there and run apply. It has ${known.join(', ')}.`,
    );
  });
}
