import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { UsageError } from '../../../errors.ts';
import { keepSecret } from '../../../secrets.ts';
import { createClient } from '../../../incident-io/client.ts';
import { readIdentity } from '../../../incident-io/identity.ts';
import { readPermissions, type TablePermission } from '../../../incident-io/permissions.ts';
import { checkedKey, type KeyReference, resolveKey } from '../../../settings/key.ts';
import {
  defaultTableSettings,
  frequencies,
  type Frequency,
  type TableSettings,
} from '../../../settings/settings.ts';
import { tableNamed, tables } from '../../../tables/index.ts';
import { type SyncMethod, syncMethodsOf, type Table } from '../../../tables/table.ts';
import { destinationOf } from '../../../warehouse/store/destination.ts';
import { ownKeyFile } from '../../../settings/key-file.ts';
import { keyVariable } from '../../options/key-options.ts';
import {
  type Answers,
  type CheckedKey,
  defaultConnection,
  defaultDestination,
  type LinkOptions,
} from './answers.ts';
import { choices } from '../../terminal/output.ts';
import type { Session } from '../../session.ts';

/** The key that the options name, checked. Throws `UsageError`, `KeyMissingError` and `CredentialsError`. */
export async function givenKey(session: Session, options: LinkOptions): Promise<CheckedKey> {
  const { keyEnv, keyFile, keyStdin } = options;
  if ([keyEnv, keyFile, keyStdin].filter((given) => given !== undefined).length > 1) {
    throw new UsageError('There are several keys.', 'Give one of --key-env, --key-file and --key-stdin.');
  }
  if (keyStdin) return checkKey(session, options, checkedKey(await text(session.stdin), 'standard input'));
  const reference = givenReference(options) ?? { env: keyVariable };
  return checkKey(session, options, await resolveKey(reference), reference);
}

/** Where the options say that the key is. */
export function givenReference({ keyEnv, keyFile }: LinkOptions): KeyReference | undefined {
  if (keyEnv !== undefined) {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(keyEnv)) return { env: keyEnv };
    // Not repeated, for it may be the key itself.
    throw new UsageError(
      '--key-env is no name of a variable.',
      `Give a name such as ${keyVariable}; never the key itself.`,
    );
  }
  return keyFile === undefined ? undefined : { file: resolve(keyFile) };
}

/** Asks whose key it is and what it may read. Throws `CredentialsError`. */
export async function checkKey(
  session: Session,
  { baseUrl }: Pick<LinkOptions, 'baseUrl'>,
  key: string,
  reference?: KeyReference,
): Promise<CheckedKey> {
  keepSecret(key);
  const client = createClient({ apiKey: key, baseUrl });
  const call = { signal: session.signal };
  const identity = await readIdentity(client, call);
  return { key, reference, client, identity, permissions: await readPermissions(client, tables, call) };
}

/** What the options say, and defaults for the rest. Throws `UsageError`. */
export function givenAnswers(options: LinkOptions, { reference, permissions }: CheckedKey): Answers {
  const { connection = defaultConnection, to = defaultDestination } = options;
  return {
    connection,
    destination: destinationOf(to),
    apiKey: reference ?? { file: ownKeyFile(connection) },
    writeKey: reference === undefined,
    tables: tableSettingsOf(options, chosenTables(options, permissions)),
  };
}

/** Those that were named, which the key has to be able to read; otherwise all that it can. */
function chosenTables({ tables: named }: LinkOptions, permissions: readonly TablePermission[]): Table[] {
  const readable = new Set(permissions.filter(({ allowed }) => allowed).map(({ table }) => table));
  if (named === undefined) {
    if (readable.size > 0) return tables.filter(({ name }) => readable.has(name));
    throw new UsageError('The key may read none of the tables.', adviceFor(permissions));
  }
  const chosen = namedTables(named);
  const refused = chosen.filter(({ name }) => !readable.has(name)).map(({ name }) => name);
  if (refused.length === 0) return chosen;
  throw new UsageError(
    `The key may not read ${refused.join(', ')}.`,
    adviceFor(permissions.filter(({ table }) => refused.includes(table))),
  );
}

/** The tables of `--tables`. Throws `UsageError` for a name there is none of. */
export function namedTables(named: string): Table[] {
  return [...new Set(named.split(',').map((name) => name.trim()))].map(tableNamed);
}

/** What to tick in incident.io for the tables that cannot be read. */
export function adviceFor(permissions: readonly TablePermission[]): string {
  const refused = permissions.filter((permission) => !permission.allowed);
  const scopes = [...new Set(refused.flatMap(({ scope }) => scope ?? []))];
  if (scopes.length === 0) return refused.map(({ table, message }) => `${table}: ${message}`).join(' ');
  return `Grant the API key ${scopes.join(', ')} in incident.io under Settings → API keys.`;
}

/** How the tables are kept current: `--method` and `--every`, for one table or for all. */
export function tableSettingsOf(options: LinkOptions, chosen: readonly Table[]): Answers['tables'] {
  const methods = perTable('--method', options.method, chosen);
  const everys = perTable('--every', options.every, chosen);
  return Object.fromEntries(
    chosen.map((table) => {
      const settings = defaultTableSettings(table, methodFor(table, methods));
      const every = everys.get(table.name) ?? everys.get('');
      return [table.name, every === undefined ? settings : withEvery(settings, every)];
    }),
  );
}

/** `table=value` and `value`, which is for all tables and kept under no name. */
function perTable(option: string, given: readonly string[], chosen: readonly Table[]): Map<string, string> {
  return new Map(
    given.map((text) => {
      const [value, table] = text.split('=').toReversed() as [string, string?];
      if (table === undefined) return ['', value];
      if (chosen.includes(tableNamed(table))) return [table, value];
      throw new UsageError(
        `${option} is given for ${table}, which is not chosen.`,
        `Add ${table} to --tables.`,
      );
    }),
  );
}

const allMethods: readonly SyncMethod[] = ['full_refresh', 'incremental'];

function methodFor(table: Table, given: ReadonlyMap<string, string>): SyncMethod | undefined {
  const { name } = table;
  const methods = syncMethodsOf(table);
  const named = given.get(name);
  if (named !== undefined) return choices(`--method for ${name}`, named, methods);
  const general = given.get('');
  // For all tables that offer it.
  const method = general === undefined ? undefined : choices('--method', general, allMethods);
  return method !== undefined && methods.includes(method) ? method : undefined;
}

function withEvery(settings: TableSettings, every: string): TableSettings {
  // Seconds are for an API on this machine; the settings themselves are checked for that.
  const frequency = /^[1-9][0-9]*s$/.test(every)
    ? (every as Frequency)
    : choices('--every', every, frequencies);
  return { ...settings, every: frequency };
}
