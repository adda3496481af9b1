import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import { Command, Option } from 'commander';
import { UsageError } from '../../../errors.ts';
import { checkedBaseUrl, defaultBaseUrl } from '../../../incident-io/base-url.ts';
import { describeKey } from '../../../settings/key.ts';
import type { Settings } from '../../../settings/settings.ts';
import { tableNamed } from '../../../tables/index.ts';
import { scheduleId } from '../../../temporal/names.ts';
import type { TableChange } from '../../../connections/schedules.ts';
import { examples } from '../../terminal/help.ts';
import { ownKeyFile, writeKeyFile } from '../../../settings/key-file.ts';
import { keyVariable } from '../../options/key-options.ts';
import { type Answers, type CheckedKey, defaultConnection, type LinkOptions } from './answers.ts';
import { adviceFor, givenAnswers, givenKey } from './flags.ts';
import { count, printJson, printTable, visible } from '../../terminal/output.ts';
import { changesAsJson, printChanges, tellUnanswered } from '../../terminal/schedule-changes.ts';
import type { Session } from '../../session.ts';
import {
  addChangingOptions,
  assertOwnTables,
  isAgreed,
  mayAsk,
  withTemporal,
} from '../../options/settings-options.ts';

/** `link`: makes a connection, by questions on a terminal and by options elsewhere. */
export function linkCommand(session: Session): Command {
  const each = (value: string, before: readonly string[]) => [...before, value];
  return addChangingOptions(
    new Command('link')
      .summary('link an account and choose its tables')
      .description(
        'link an account: check its key, choose tables, write the settings, make the schedules, start the import',
      ),
  )
    .option('--connection <name>', `a name for the connection (default: ${defaultConnection})`)
    .option('--to <destination>', 'the folder of the tables, or s3://bucket/prefix (default: ./warehouse)')
    .option(
      '--key-env <name>',
      `the API key is in this variable (default, without a terminal: ${keyVariable})`,
    )
    .option('--key-file <path>', 'the API key is in this file')
    .option('--key-stdin', 'read the API key from standard input and keep it in a file only you can read')
    .addOption(
      new Option('--base-url <url>', 'another address of the API, such as a sandbox').default(defaultBaseUrl),
    )
    .option('--tables <names>', 'the tables, with commas between them (default: all the key may read)')
    .addOption(methodOption().argParser(each).default([], 'each table’s'))
    .addOption(everyOption().argParser(each).default([], 'each table’s'))
    .option('--no-import', 'leave the first import to the schedules')
    .option('--force', 'replace a settings file, and the key file of a connection of this name')
    .addHelpText(
      'after',
      examples(
        ['By questions', 'incident-io-source link'],
        [
          'Without a terminal, the key in a variable',
          'incident-io-source link --connection prod --to /data/incident-io --key-env INCIDENT_IO_API_KEY --yes',
        ],
        [
          'Two tables, one of them often; the key from a vault',
          'vault read -field=key secret/incident-io | incident-io-source link --key-stdin --tables incidents,users --every incidents=5m --yes',
        ],
      ),
    )
    .action((options: LinkOptions) => link(session, options));
}

const methodOption = () =>
  new Option(
    '--method <[table=]method>',
    'full_refresh or incremental, for a table or for all that offer it; repeatable',
  );
const everyOption = () =>
  new Option('--every <[table=]frequency>', 'sync frequency such as 15m, for a table or for all; repeatable');

async function link(session: Session, options: LinkOptions): Promise<void> {
  const [
    { assertMayWrite, writeSettings },
    { problemOfConnection, settingsOf },
    { applySchedules, planApply },
  ] = await Promise.all([
    import('../../../settings/file.ts'),
    import('../../../settings/schema.ts'),
    import('../../../connections/schedules.ts'),
  ]);
  const file = options.settings;
  const replace = options.force === true;
  await assertMayWrite(file, replace);
  if (options.connection !== undefined && problemOfConnection(options.connection) !== undefined) {
    throw new UsageError(
      `${JSON.stringify(options.connection)} is no name for a connection.`,
      `--connection: ${problemOfConnection(options.connection)}.`,
    );
  }
  const baseUrl = checkedBaseUrl(options.baseUrl);
  const { checked, answers } = await decide(session, { ...options, baseUrl });
  const { connection, destination, apiKey, writeKey, tables } = answers;
  const settings = settingsOf({ version: 1, connection, apiKey, baseUrl, destination, tables }, file);
  if (replace) await assertSameName(file, connection);
  await assertOwnTables(settings, checked.identity.account);

  await withTemporal(session, async (client) => {
    const changes = await planApply(client, settings, checked.identity.account);
    if (!options.json) printPlan(session, options, settings, answers, changes);
    if (!(await isAgreed(session, options, 'Link this connection?'))) {
      session.stdout.write('Nothing was changed.\n');
      return;
    }
    await assertWritable(settings);
    if (writeKey && 'file' in apiKey) await writeKeyFile(apiKey.file, checked.key, { replace });
    try {
      await writeSettings(file, settings, { replace });
    } catch (error) {
      // A key that no settings name would lie there for ever.
      if (writeKey && 'file' in apiKey) await rm(apiKey.file, { force: true });
      throw error;
    }
    // The key of the connection as it was linked before, which nothing names any more.
    if (replace && !('file' in apiKey && apiKey.file === ownKeyFile(connection))) {
      await rm(ownKeyFile(connection), { force: true });
    }
    const { unanswered } = await applySchedules(client, settings, changes, session.signal);
    tellUnanswered(session, unanswered);
    if (options.import) await startImport(client, settings);
    if (options.json) {
      const { identity, permissions } = checked;
      const made = { settings: resolve(file), api_key: apiKey, import_started: options.import };
      printJson(session.stdout, {
        connection,
        account: identity.account,
        destination,
        ...made,
        permissions,
        changes: changesAsJson(changes),
      });
    } else {
      tellDone(session, options, settings);
    }
  });
}

/** Replacing the settings of another connection would leave its schedules behind with nothing that names them. */
async function assertSameName(file: string, connection: string): Promise<void> {
  const { readSettings } = await import('../../../settings/file.ts');
  let before: Settings;
  try {
    before = await readSettings(file);
  } catch (error) {
    // What is no settings file names no connection.
    if (error instanceof UsageError) return;
    throw error;
  }
  if (before.connection === connection) return;
  throw new UsageError(
    `${file} is of the connection ${before.connection}.`,
    'Unlink that one first, or write another file (--settings).',
  );
}

/** By questions where there is somebody to ask, by the options where not. */
async function decide(
  session: Session,
  options: LinkOptions,
): Promise<{ readonly checked: CheckedKey; readonly answers: Answers }> {
  if (mayAsk(session, options)) {
    const { askAnswers, askKey } = await import('./questions.ts');
    const checked = await askKey(session, options);
    return { checked, answers: await askAnswers(session, options, checked) };
  }
  const checked = await givenKey(session, options);
  const answers = givenAnswers(options, checked);
  if (!options.json) printPermissions(session, checked);
  return { checked, answers };
}

function printPermissions({ stdout, stderr }: Session, { identity, permissions }: CheckedKey): void {
  stdout.write(`account  ${visible(identity.account)}\n\n`);
  printTable(stdout, permissions, [
    { head: 'table', value: ({ table }) => table },
    { head: 'permission', value: ({ table }) => tableNamed(table).scope ?? 'none' },
    {
      head: 'may be read',
      value: (permission) => (permission.allowed ? 'yes' : `no: ${permission.message}`),
    },
  ]);
  stdout.write('\n');
  if (permissions.some(({ allowed }) => !allowed)) stderr.write(`note: ${adviceFor(permissions)}\n`);
}

function printPlan(
  { stdout }: Session,
  options: LinkOptions,
  settings: Settings,
  { apiKey, writeKey }: Answers,
  changes: readonly TableChange[],
): void {
  printChanges(stdout, settings, changes);
  stdout.write(`\nconnection  ${settings.connection}\n`);
  stdout.write(`tables in   ${settings.destination}\n`);
  stdout.write(`settings    ${resolve(options.settings)}\n`);
  stdout.write(`API key     ${describeKey(apiKey)}${writeKey ? ', to be written' : ''}\n`);
  stdout.write(`import      ${options.import ? 'starts now' : 'by the schedules'}\n\n`);
}

async function assertWritable({ destination }: Settings): Promise<void> {
  const { openDestination } = await import('../../../warehouse/open-warehouse.ts');
  const warehouse = await openDestination(destination);
  try {
    await warehouse.assertWritable();
  } finally {
    await warehouse.close();
  }
}

async function startImport(client: Client, { connection, tables }: Settings): Promise<void> {
  const { scheduleOf, triggerTable } = await import('../../../connections/operate.ts');
  await Promise.all(
    Object.keys(tables).map(async (table) =>
      triggerTable(client, await scheduleOf(client, scheduleId(connection, table), table)),
    ),
  );
}

function tellDone({ stdout, stderr }: Session, options: LinkOptions, { apiKey, tables }: Settings): void {
  const what = count(Object.keys(tables).length, 'table');
  stdout.write(`Linked: ${what} on schedule${options.import ? ', import started' : ''}.\n`);
  if ('env' in apiKey && !process.env[apiKey.env]) {
    stderr.write(`note: set ${apiKey.env} where the worker runs; until then runs wait for the key.\n`);
  }
  stdout.write(
    'Runs need a worker: incident-io-source up, or worker in production; then incident-io-source status.\n',
  );
}
