import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import { createClient } from '../../incident-io/client.ts';
import { readIdentity } from '../../incident-io/identity.ts';
import { defaultSettingsFile, type Settings } from '../../settings/settings.ts';
import { tableNamed } from '../../tables/index.ts';
import { agreesTo, hasTerminal } from '../terminal/prompts.ts';
import type { Session } from '../session.ts';

/** The options of commands that change what is scheduled. */
export type ChangingOptions = { readonly settings: string; readonly yes?: true; readonly json?: true };

export function addChangingOptions(command: Command): Command {
  return command
    .option('--settings <file>', 'the settings of the connection', defaultSettingsFile)
    .option('--yes', 'do it without asking')
    .option('--json', 'print JSON');
}

/** Connects to Temporal for as long as `work` lasts. */
export async function withTemporal<T>(session: Session, work: (client: Client) => Promise<T>): Promise<T> {
  const [{ Client }, { connectTemporal }] = await Promise.all([
    import('@temporalio/client'),
    import('../../temporal/connection.ts'),
  ]);
  const report = (line: string) => void session.stderr.write(`${line}\n`);
  const { connection, namespace, close } = await connectTemporal({ env: process.env, report });
  try {
    return await work(new Client({ connection, namespace }));
  } finally {
    await close();
  }
}

/** The account of a key, `unknown` where the API does not tell. Throws `CredentialsError`. */
export async function accountOf(session: Session, settings: Settings, apiKey: string): Promise<string> {
  const { baseUrl } = settings;
  return (await readIdentity(createClient({ apiKey, baseUrl }), { signal: session.signal })).account;
}

/** Throws `AccountMismatchError` where the destination is fed by another account already; changes nothing. */
export async function assertOwnTables({ destination, tables }: Settings, account: string): Promise<void> {
  const [{ openDestination }, { assertSameAccount }] = await Promise.all([
    import('../../warehouse/open-warehouse.ts'),
    import('../../warehouse/commit/account.ts'),
  ]);
  const warehouse = await openDestination(destination);
  try {
    for (const table of Object.keys(tables).map(tableNamed)) {
      assertSameAccount(destination, table.name, await warehouse.readState(table), account);
    }
  } finally {
    await warehouse.close();
  }
}

/** Whether questions can be asked: they would stand in the JSON. */
export function mayAsk(session: Session, { yes, json }: ChangingOptions): boolean {
  return hasTerminal(session) && !yes && !json;
}

/** Whether to go on: asked for with `--yes`, or agreed to on a terminal. Throws `UsageError` where nobody can be asked. */
export async function isAgreed(
  session: Session,
  options: ChangingOptions,
  question: string,
): Promise<boolean> {
  if (options.yes) return true;
  if (mayAsk(session, options)) return agreesTo(session, question);
  throw new UsageError('Nothing was changed: there is nobody to ask.', 'Add --yes to do it without asking.');
}
