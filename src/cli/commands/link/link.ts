import { resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import { Command, Option } from 'commander';
import { UsageError } from '../../../errors.ts';
import { checkedBaseUrl, defaultBaseUrl } from '../../../incident-io/base-url.ts';
import { type Settings, settingsVersion } from '../../../settings/settings.ts';
import { tableNamed } from '../../../tables/index.ts';
import { anyBucket } from '../../../warehouse/store/destination.ts';
import type { Warehouse } from '../../../warehouse/warehouse.ts';
import { keyVariable } from '../../options/key-options.ts';
import {
  addChangingOptions,
  isAgreed,
  mayAsk,
  withTemporal,
  withWarehouse,
} from '../../options/settings-options.ts';
import type { Session } from '../../session.ts';
import { tellFailures } from '../../terminal/failure.ts';
import { examples } from '../../terminal/help.ts';
import { printJson } from '../../terminal/output.ts';
import { changesAsJson, tellNeighbours, tellUnanswered } from '../../terminal/schedule-changes.ts';
import { type Answers, type CheckedKey, defaultConnection, type LinkOptions } from './answers.ts';
import { givenAnswers, givenKey, wantedTables } from './flags.ts';
import { printPermissions, printPlan, tellLinked } from './report.ts';

/** `link`: creates a connection, from answers on a terminal or from options elsewhere. */
export function linkCommand(session: Session): Command {
  return addLinkOptions(
    new Command('link').description(
      'link an account: check its API key, choose tables, write the settings file, create the schedules, start the ' +
        'first import',
    ),
  )
    .addHelpText(
      'after',
      examples(
        ['With questions', 'incident-io-source link'],
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
    .action(({ method, ...options }: LinkOptions & { readonly method: readonly string[] }) =>
      link(session, { ...options, syncMethod: [...method, ...options.syncMethod] }),
    );
}

function addLinkOptions(command: Command): Command {
  const repeatable = (flags: string, description: string) =>
    new Option(flags, description)
      .argParser((value, before: readonly string[]) => [...before, value])
      .default([], 'each table’s own');
  const syncMethods = 'full_refresh or incremental, for one table or for all that offer it; repeatable';
  command
    .option('--connection <name>', `a name for the connection (default: ${defaultConnection})`)
    .option('--to <destination>', `folder of the tables, or ${anyBucket} (default: ./warehouse)`)
    .option(
      '--key-env <name>',
      `environment variable that holds the API key (default without a terminal: ${keyVariable})`,
    )
    .option('--key-file <path>', 'file that holds the API key')
    .option('--key-stdin', 'read the API key from standard input, and keep it in a file only you can read')
    .option('--base-url <url>', 'another address of the API, such as a sandbox', defaultBaseUrl)
    .option(
      '--tables <names>',
      'the tables, separated by commas (default: the default tables that the key can read)',
    )
    .option('--all', 'every table that the key can read, but those that have to be named')
    .addOption(repeatable('--sync-method <[table=]method>', syncMethods))
    // Its former name, which scripts may still use.
    .addOption(repeatable('--method <[table=]method>', syncMethods).hideHelp())
    .addOption(
      repeatable(
        '--every <[table=]frequency>',
        'sync frequency such as 15m, for one table or for all; repeatable',
      ),
    )
    .option('--no-import', 'do not sync now; the first runs start at the first interval')
    .option('--force', 'replace an existing settings file, and the key file of a connection of this name');
  return addChangingOptions(command);
}

async function link(session: Session, given: LinkOptions): Promise<void> {
  const [{ assertMayWrite }, { problemOfConnection, settingsOf }, { assertSameName }] = await Promise.all([
    import('../../../settings/write.ts'),
    import('../../../settings/schema.ts'),
    import('../../../connections/link.ts'),
  ]);
  const options = { ...given, baseUrl: checkedBaseUrl(given.baseUrl) };
  const { settings: file, force: replace = false, baseUrl } = options;
  await assertMayWrite(file, replace);
  // An invalid name is refused before anyone has to paste a key.
  wantedTables(options);
  const problem = options.connection === undefined ? undefined : problemOfConnection(options.connection);
  if (problem !== undefined) {
    throw new UsageError(
      `${JSON.stringify(options.connection)} is not a valid connection name.`,
      `--connection: ${problem}.`,
    );
  }
  const { checked, answers } = await decide(session, options);
  const { connection, destination, apiKey, tables } = answers;
  const written = { version: settingsVersion, connection, apiKey, baseUrl, destination, tables };
  const settings = settingsOf(written, file);
  if (replace) await assertSameName(file, connection);
  await withWarehouse(destination, async (warehouse) => {
    await assertOwn(session, settings, warehouse, checked);
    await withTemporal(session, (client) =>
      linkWith(session, options, { client, warehouse }, settings, { checked, answers }),
    );
  });
}

/** Throws `AccountMismatchError`. A table that cannot be read is reported, and the others are linked anyway. */
async function assertOwn(
  session: Session,
  { tables }: Settings,
  warehouse: Warehouse,
  { identity }: CheckedKey,
): Promise<void> {
  const { assertOwnTables } = await import('../../../connections/account.ts');
  const chosen = Object.keys(tables).map(tableNamed);
  tellFailures(session, await assertOwnTables(warehouse, chosen, identity.account), 'note');
}

type Decided = { readonly checked: CheckedKey; readonly answers: Answers };

async function linkWith(
  session: Session,
  options: LinkOptions,
  { client, warehouse }: { readonly client: Client; readonly warehouse: Warehouse },
  settings: Settings,
  { checked, answers }: Decided,
): Promise<void> {
  const [{ planApply }, { linkConnection }, { neighboursOf }] = await Promise.all([
    import('../../../connections/apply.ts'),
    import('../../../connections/link.ts'),
    import('../../../connections/schedule/neighbours.ts'),
  ]);
  const { signal, stdout } = session;
  const { identity, permissions, key } = checked;
  const changes = await planApply(client, settings, identity.account);
  const neighbours = await neighboursOf(client, settings);
  if (!options.json) printPlan(session, options, settings, answers, changes);
  tellNeighbours(session, settings, neighbours);
  // Two connections into one destination are usually a mistake, so Enter then means no.
  if (!(await isAgreed(session, options, 'Link this connection?', neighbours.length === 0))) {
    stdout.write('Nothing was changed.\n');
    return;
  }
  const { settings: file, force: replace = false } = options;
  const made = { file, settings, replace, ...(answers.writeKey && { key }) };
  const { unanswered } = await linkConnection({ client, warehouse, signal }, made, changes);
  tellUnanswered(session, unanswered);
  if (options.import) await startImport(session, client, settings);
  if (!options.json) {
    tellLinked(session, options, settings);
    return;
  }
  const { connection, destination, apiKey } = settings;
  printJson(stdout, {
    connection,
    account: identity.account,
    destination,
    settings: resolve(file),
    api_key: apiKey,
    import_started: options.import,
    permissions,
    other_connections: neighbours,
    changes: changesAsJson(changes),
  });
}

async function startImport(session: Session, client: Client, settings: Settings): Promise<void> {
  const [{ triggerTables }, { isFailure }] = await Promise.all([
    import('../../../connections/schedule/trigger.ts'),
    import('../../../connections/per-table.ts'),
  ]);
  const tables = Object.keys(settings.tables).map(tableNamed);
  const failures = (await triggerTables(client, settings, tables)).filter(isFailure);
  if (failures.length > 0) session.exitCode = 1;
  tellFailures(session, failures);
}

/** Asks, if there is someone to ask; otherwise uses the options and defaults. */
async function decide(session: Session, options: LinkOptions): Promise<Decided> {
  if (mayAsk(session, options)) {
    const [{ askKey }, { askAnswers }] = await Promise.all([
      import('./key-questions.ts'),
      import('./questions.ts'),
    ]);
    const checked = await askKey(session, options);
    return { checked, answers: await askAnswers(session, options, checked) };
  }
  const checked = await givenKey(session, options);
  const answers = givenAnswers(options, checked);
  if (!options.json) printPermissions(session, checked);
  return { checked, answers };
}
