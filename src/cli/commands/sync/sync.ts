import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../../../errors.ts';
import { checkedBaseUrl } from '../../../incident-io/base-url.ts';
import { defaultSettingsFile, defaultTableSettings } from '../../../settings/settings.ts';
import { selectedTables } from '../../../tables/index.ts';
import { assertParentsSelected } from '../../../tables/parents.ts';
import {
  incrementalFieldsOf,
  type SyncMethod,
  syncMethodsOf,
  type Table,
  type TimestampField,
} from '../../../tables/table.ts';
import { type Method, toMethod } from '../../../connections/runs/input.ts';
import { anyBucket, destinationOf } from '../../../warehouse/store/destination.ts';
import { examples } from '../../terminal/help.ts';
import { addKeyOptions, keyReferenceOf, type KeyOptions, keyVariable } from '../../options/key-options.ts';
import { choices } from '../../terminal/output.ts';
import type { Session } from '../../session.ts';
import type { SyncRequest } from './own-runs.ts';

type SyncOptions = KeyOptions & {
  readonly to?: string;
  readonly settings?: string;
  readonly syncMethod?: string;
  readonly method?: string;
  readonly incrementalField?: string;
  readonly all?: true;
  readonly giveUpAfter: number;
  readonly json?: true;
};

export function syncCommand(session: Session): Command {
  const command = new Command('sync')
    .description('sync tables now; if the command is killed, run it again and it resumes')
    .argument('[table...]', 'the tables to sync; the default tables if none is named')
    .option('--all', 'sync every table but those that have to be named')
    .option('--to <destination>', `folder of the tables, created if it is missing, or ${anyBucket}`)
    .option(
      '--settings <file>',
      `instead of --to: have the schedules of a connection do it, and wait (default: "${defaultSettingsFile}")`,
    )
    .option('--sync-method <method>', 'full_refresh or incremental, instead of each table’s default')
    // Its name before version 0.2.
    .addOption(new Option('--method <method>').conflicts('syncMethod').hideHelp())
    .option('--incremental-field <field>', 'updated_at or created_at, for incremental')
    .addOption(
      new Option('--give-up-after <minutes>', 'fail a table after this long without progress')
        .default(10)
        .argParser(minutes),
    )
    .option('--json', 'print one JSON object at the end');
  return addKeyOptions(command)
    .addHelpText(
      'after',
      examples(
        ['The default tables, into a folder', `${keyVariable}=… incident-io-source sync --to ./warehouse`],
        ['Every table', 'incident-io-source sync --all --to ./warehouse'],
        [
          'Into a bucket of a store other than AWS',
          `incident-io-source sync \\\n    --to "s3://bucket/prefix?endpoint=https://minio.example:9000"`,
        ],
        ['Into Google Cloud Storage', 'incident-io-source sync --to gs://bucket/prefix'],
        [
          'Into Azure',
          'incident-io-source sync \\\n    --to abfss://container@account.dfs.core.windows.net/prefix',
        ],
        ['Two tables', 'incident-io-source sync incidents alerts --to ./warehouse'],
        ['Read everything again', 'incident-io-source sync --to ./warehouse --sync-method full_refresh'],
        [`By the schedules and workers of ${defaultSettingsFile}`, 'incident-io-source sync'],
        [
          'Try it without an account (see incident-io-source sandbox)',
          `export ${keyVariable}=sandbox-key\n  incident-io-source sync --to ./warehouse --base-url http://127.0.0.1:8080`,
        ],
      ),
    )
    .action((names: string[], { to, ...options }: SyncOptions) =>
      to === undefined ? syncBySettings(session, command, names, options) : sync(session, names, to, options),
    );
}

/** Options that only go with --to; for schedules, the settings decide. */
const ownOptions = [
  'all',
  'syncMethod',
  'method',
  'incrementalField',
  'giveUpAfter',
  'keyFile',
  'baseUrl',
] as const;

async function syncBySettings(
  session: Session,
  command: Command,
  names: readonly string[],
  { settings, json }: SyncOptions,
): Promise<void> {
  if (settings === undefined && !existsSync(defaultSettingsFile)) {
    throw new UsageError(
      `The destination is missing: without --to it comes from ${defaultSettingsFile}, which does not exist.`,
      'Give --to <folder or bucket>, or create the settings with incident-io-source link.',
    );
  }
  const file = settings ?? defaultSettingsFile;
  const stray = ownOptions.find((name) => command.getOptionValueSource(name) === 'cli');
  if (stray !== undefined) {
    const flag = command.options.find((option) => option.attributeName() === stray)!.long!;
    throw new UsageError(
      `${flag} goes with --to: without it, ${file} says how tables are synced.`,
      `Change ${file} and run apply, or add --to for a sync outside its schedules.`,
    );
  }
  const { runSyncBySchedule } = await import('./by-schedule.ts');
  await runSyncBySchedule(session, names, { settings: file, ...(json && { json }) });
}

async function sync(
  session: Session,
  names: readonly string[],
  to: string,
  options: SyncOptions,
): Promise<void> {
  if (options.settings !== undefined) {
    throw new UsageError(
      '--to and --settings cannot be used together: the settings say where the tables are.',
      'Leave out --to to have the schedules sync, or --settings to sync without them.',
    );
  }
  // Every mistake that can be found without a request to any server is reported here.
  const chosen = selectedTables(names, options.all);
  assertParentsSelected(chosen);
  const request: SyncRequest = {
    tables: chosen.map((table) => ({ table, method: methodOf(table, options, names.length > 0) })),
    destination: destinationOf(to),
    baseUrl: checkedBaseUrl(options.baseUrl),
    apiKey: keyReferenceOf(options),
    giveUpAfterMinutes: options.giveUpAfter,
    json: options.json === true,
  };
  // Loading Temporal and DuckDB takes half a second, and --help should not wait for it.
  const { runSync } = await import('./own-runs.ts');
  await runSync(session, request);
}

/**
 * The method and field that were asked for, or the table's defaults if it does not offer them. A table that was named
 * has to offer them. Throws `UsageError`.
 */
function methodOf(table: Table, options: SyncOptions, isNamed: boolean): Method {
  const fields = incrementalFieldsOf(table);
  const asked = options.syncMethod ?? options.method;
  const syncMethod = offered(table, isNamed, '--sync-method', asked, allMethods, syncMethodsOf(table));
  if (syncMethod === 'incremental') {
    const field = options.incrementalField;
    if (fields.length === 0) {
      if (field !== undefined && isNamed)
        offered(table, isNamed, '--incremental-field', field, allFields, fields);
      return toMethod(defaultTableSettings(table, syncMethod));
    }
    const incrementalField = offered(table, isNamed, '--incremental-field', field, allFields, fields);
    return toMethod({ ...defaultTableSettings(table, syncMethod), incrementalField });
  }
  if (options.incrementalField !== undefined) {
    const field = choices('--incremental-field', options.incrementalField, allFields);
    // With all tables, some have no such field, which is fine. Naming one of those, or full_refresh, is a mistake.
    if (isNamed || asked === 'full_refresh') {
      throw new UsageError(
        `--incremental-field ${field} does not apply to ${table.name}: full_refresh reads the whole table.`,
        fields.includes(field) ? 'Add --sync-method incremental, or leave it out.' : 'Leave it out.',
      );
    }
  }
  return toMethod({ syncMethod });
}

function offered<T extends string>(
  table: Table,
  isNamed: boolean,
  option: string,
  asked: string | undefined,
  all: readonly T[],
  takes: readonly T[],
): T {
  if (asked === undefined) return takes[0]!;
  const value = choices(option, asked, all);
  if (takes.includes(value)) return value;
  if (!isNamed) return takes[0]!;
  throw new UsageError(`${table.name} does not take ${option} ${value}.`, `It takes ${takes.join(' or ')}.`);
}

const allMethods: readonly SyncMethod[] = ['full_refresh', 'incremental'];
const allFields: readonly TimestampField[] = ['updated_at', 'created_at'];

function minutes(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) {
    throw new InvalidArgumentError('Give a number of minutes greater than 0.');
  }
  return value;
}
