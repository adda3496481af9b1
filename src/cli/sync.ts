import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../errors.ts';
import { checkedBaseUrl, createClient } from '../incident-io/client.ts';
import { readIdentity } from '../incident-io/identity.ts';
import { tablesNamed } from '../tables/index.ts';
import type { SyncMethod, Table, TimestampField } from '../tables/table.ts';
import { connectTemporal } from '../temporal/connection.ts';
import { inputOf, type Method } from '../temporal/input.ts';
import { quietRuntime, serveWhile } from '../temporal/serve.ts';
import { syncTables } from '../temporal/sync-tables.ts';
import { assertSameAccount } from '../warehouse/account.ts';
import { folderStore } from '../warehouse/folder-store.ts';
import { openWarehouse } from '../warehouse/open-warehouse.ts';
import { examples } from './help.ts';
import { addKeyOptions, keyReferenceOf, type KeyOptions, keyVariable, readKey } from './key-options.ts';
import { choices } from './output.ts';
import type { Session } from './session.ts';
import { SyncReport } from './sync-report.ts';

type SyncOptions = KeyOptions & {
  readonly to: string;
  readonly method?: string;
  readonly incrementalField?: string;
  readonly giveUpAfter: number;
  readonly json?: true;
};

export function syncCommand(session: Session): Command {
  const command = new Command('sync')
    .description('Copy tables into Delta tables, now. Run again after a kill it takes up where it was.')
    .argument('[table...]', 'the tables to sync; all of them when none is named')
    .requiredOption('--to <folder>', 'the folder that holds the tables, made if need be')
    .option('--method <method>', 'full_refresh or incremental, instead of each table’s default')
    .option('--incremental-field <field>', 'updated_at or created_at, for incremental')
    .addOption(
      new Option('--give-up-after <minutes>', 'fail a table after so long without any progress')
        .default(10)
        .argParser(minutes),
    )
    .option('--json', 'print one JSON object at the end');
  return addKeyOptions(command)
    .addHelpText(
      'after',
      examples(
        ['Everything, into a folder', `${keyVariable}=… incident-io-source sync --to ./warehouse`],
        ['Two tables', 'incident-io-source sync incidents alerts --to ./warehouse'],
        ['Read everything anew', 'incident-io-source sync --to ./warehouse --method full_refresh'],
        [
          'Try it without an account (see incident-io-source sandbox)',
          `${keyVariable}=sandbox-key incident-io-source sync --to ./warehouse --base-url http://127.0.0.1:8080`,
        ],
      ),
    )
    .action((names: string[], options: SyncOptions) => sync(session, names, options));
}

async function sync(session: Session, names: readonly string[], options: SyncOptions): Promise<void> {
  // Everything that can be refused is refused here, before a server is started or a file is written.
  const chosen = tablesNamed(names);
  const methods = chosen.map((table) => methodOf(table, options, names.length > 0));
  const baseUrl = checkedBaseUrl(options.baseUrl);
  const apiKey = keyReferenceOf(options);
  const key = await readKey(session, apiKey);
  const { account } = await readIdentity(createClient({ apiKey: key, baseUrl }), { signal: session.signal });

  const destination = resolve(options.to);
  const warehouse = await openWarehouse(folderStore(destination), { destination });
  try {
    await warehouse.assertWritable();
    for (const table of chosen) {
      assertSameAccount(destination, table.name, await warehouse.readState(table), account);
    }
    const source = { apiKey, baseUrl, account, giveUpAfterMinutes: options.giveUpAfter };
    const inputs = chosen.map((table, index) => inputOf(table, source, methods[index]));
    quietRuntime();
    const report = new SyncReport(session, options.json === true);
    const access = await connectTemporal({ env: process.env, report: (line) => report.say(line) });
    try {
      const outcomes = await serveWhile({ access, warehouse }, (serving) =>
        syncTables(serving, destination, inputs, {
          onStart: (runs) => report.started(runs),
          onProgress: (progress) => report.progressed(progress),
          onOutcome: (outcome) => report.ended(outcome),
          interrupt: session.signal,
        }),
      );
      report.close(destination);
      session.signal.throwIfAborted();
      if (outcomes.some(({ status }) => status !== 'synced')) session.exitCode = 1;
    } finally {
      await access.close();
    }
  } finally {
    await warehouse.close();
  }
}

/**
 * The method and field asked for, or the table's defaults where it does not offer them; a table that was named
 * has to offer them.
 */
function methodOf(table: Table, options: SyncOptions, named: boolean): Method {
  const method = offered(table, named, '--method', options.method, allMethods, table.methods);
  if (method !== 'incremental') return { method };
  const { incrementalFields: fields } = table;
  return {
    method,
    incrementalField: offered(
      table,
      named,
      '--incremental-field',
      options.incrementalField,
      allFields,
      fields,
    ),
  };
}

function offered<T extends string>(
  table: Table,
  named: boolean,
  option: string,
  asked: string | undefined,
  all: readonly T[],
  takes: readonly T[],
): T {
  if (asked === undefined) return takes[0]!;
  const value = choices(option, asked, all);
  if (takes.includes(value)) return value;
  if (!named) return takes[0]!;
  throw new UsageError(`${table.name} does not take ${option} ${value}.`, `It takes ${takes.join(' or ')}.`);
}

const allMethods: readonly SyncMethod[] = ['full_refresh', 'incremental'];
const allFields: readonly TimestampField[] = ['updated_at', 'created_at'];

function minutes(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value))
    throw new InvalidArgumentError('Give a number of minutes above 0.');
  return value;
}
