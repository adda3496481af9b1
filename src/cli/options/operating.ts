import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { isFailure, type PerTable } from '../../connections/per-table.ts';
import { UsageError } from '../../errors.ts';
import { readSettings } from '../../settings/file.ts';
import { defaultSettingsFile, type Settings } from '../../settings/settings.ts';
import { tableNamed } from '../../tables/index.ts';
import type { Table } from '../../tables/table.ts';
import type { Session } from '../session.ts';
import { tellFailures } from '../terminal/failure.ts';
import { printJson } from '../terminal/output.ts';
import { withTemporal } from './settings-options.ts';

/** The options of commands that look after a connection's schedules. */
export type OperatingOptions = { readonly settings: string; readonly json?: true };

/** Adds the tables and the settings file that such a command works on. */
export function addOperatingOptions(command: Command): Command {
  return command
    .argument('[table...]', 'the tables; all tables of the settings if none is named')
    .option('--settings <file>', 'settings of the connection', defaultSettingsFile)
    .option('--json', 'print JSON');
}

/** What such a command works with. */
export type Operated = {
  readonly client: Client;
  readonly settings: Settings;
  /** The tables that were named, or all of the settings. */
  readonly tables: readonly Table[];
};

/** Reads the settings and connects to Temporal for as long as `work` lasts. */
export async function operating<T>(
  session: Session,
  names: readonly string[],
  { settings: file }: OperatingOptions,
  work: (operated: Operated) => Promise<T>,
  patienceMs?: number,
): Promise<T> {
  const settings = await readSettings(file);
  const tables = chosenTables(settings, file, names);
  return withTemporal(session, (client) => work({ client, settings, tables }), patienceMs);
}

/** Prints one line per table, or all of them as JSON. The exit code is 1 if a table failed. */
export function tellOutcomes<Done extends object>(
  session: Session,
  { json }: OperatingOptions,
  outcomes: readonly PerTable<Done>[],
  sentence: (done: Done) => string,
): void {
  const failures = outcomes.filter(isFailure);
  if (failures.length > 0) session.exitCode = 1;
  if (json) {
    printJson(session.stdout, outcomes);
    return;
  }
  for (const outcome of outcomes) {
    if (!isFailure(outcome)) session.stdout.write(`${outcome.table}: ${sentence(outcome)}\n`);
  }
  tellFailures(session, failures);
}

function chosenTables(settings: Settings, file: string, names: readonly string[]): Table[] {
  const known = Object.keys(settings.tables);
  if (names.length === 0) return known.map(tableNamed);
  return [...new Set(names)].map((name) => {
    const table = tableNamed(name);
    if (known.includes(name)) return table;
    throw new UsageError(
      `${file} has no table ${name}.`,
      `Add it to the file and run incident-io-source apply. The file has ${known.join(', ')}.`,
    );
  });
}
