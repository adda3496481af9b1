import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { missingScopes } from '../../../connections/missing-scopes.ts';
import { UsageError } from '../../../errors.ts';
import type { TablePermission } from '../../../incident-io/permissions.ts';
import { keepSecret } from '../../../secrets.ts';
import { ownKeyFile } from '../../../settings/key-file.ts';
import { checkedKey, type KeyReference, resolveKey, variablePattern } from '../../../settings/key.ts';
import {
  defaultTableSettings,
  frequencies,
  type Frequency,
  type TableSettings,
} from '../../../settings/settings.ts';
import { selectedTables, tableNamed } from '../../../tables/index.ts';
import { assertParentsSelected, withTheirParents } from '../../../tables/parents.ts';
import { type SyncMethod, syncMethodsOf, type Table } from '../../../tables/table.ts';
import { destinationOf } from '../../../warehouse/store/destination.ts';
import { keyVariable } from '../../options/key-options.ts';
import type { Session } from '../../session.ts';
import { alternatives, choices } from '../../terminal/output.ts';
import { mayAsk } from '../../options/settings-options.ts';
import {
  type Answers,
  type CheckedKey,
  defaultConnection,
  defaultDestination,
  type LinkOptions,
} from './answers.ts';

/** The key that the options name, checked. Throws `UsageError`, `KeyMissingError` and `CredentialsError`. */
export async function givenKey(session: Session, options: LinkOptions): Promise<CheckedKey> {
  const { keyEnv, keyFile, keyStdin } = options;
  if ([keyEnv, keyFile, keyStdin].filter((given) => given !== undefined).length > 1) {
    throw new UsageError(
      'The API key is given more than once.',
      'Use only one of --key-env, --key-file and --key-stdin.',
    );
  }
  if (keyStdin) return checkKey(session, options, checkedKey(await text(session.stdin), 'standard input'));
  const reference = givenReference(options) ?? { env: keyVariable };
  return checkKey(session, options, await resolveKey(reference), reference);
}

/** Where the options say that the key is. */
export function givenReference({ keyEnv, keyFile }: LinkOptions): KeyReference | undefined {
  if (keyEnv !== undefined) {
    if (variablePattern.test(keyEnv)) return { env: keyEnv };
    // The error does not repeat the value, since it may be the key itself.
    throw new UsageError(
      '--key-env must be the name of an environment variable.',
      `Give a name such as ${keyVariable}, never the key itself.`,
    );
  }
  return keyFile === undefined ? undefined : { file: resolve(keyFile) };
}

/** Asks whose key it is and what it can read. Throws `CredentialsError`. */
export async function checkKey(
  session: Session,
  options: LinkOptions,
  key: string,
  reference?: KeyReference,
): Promise<CheckedKey> {
  keepSecret(key);
  // Loaded here, so that --help and --version need not wait for the HTTP client.
  const { readKeyFacts } = await import('../../../connections/key-facts.ts');
  const asksWhich = options.tables === undefined && mayAsk(session, options);
  const tables = asksWhich ? selectedTables([], true) : wantedTables(options);
  return {
    key,
    reference,
    ...(await readKeyFacts({ apiKey: key, baseUrl: options.baseUrl }, tables, session.signal)),
  };
}

/** The answers from the options, with defaults for the rest. Throws `UsageError`. */
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

/** The tables that were named, which the key must be able to read; otherwise the wanted ones that it can read. */
function chosenTables(options: LinkOptions, permissions: readonly TablePermission[]): readonly Table[] {
  const readable = new Set(permissions.filter(({ allowed }) => allowed).map(({ table }) => table));
  const wanted = wantedTables(options);
  if (options.tables === undefined) {
    if (readable.size > 0) return withTheirParents(wanted.filter(({ name }) => readable.has(name)));
    throw new UsageError('The API key cannot read any of the tables.', adviceFor(permissions));
  }
  const refused = wanted.filter(({ name }) => !readable.has(name)).map(({ name }) => name);
  if (refused.length === 0) return wanted;
  throw new UsageError(
    `The API key cannot read ${refused.join(', ')}.`,
    adviceFor(permissions.filter(({ table }) => refused.includes(table))),
  );
}

/**
 * The tables that the options ask for: the named ones, every one with `--all`, or the default ones. Throws `UsageError`
 * for an unknown name, and for a table without its parent.
 */
export function wantedTables({ tables: named, all }: Pick<LinkOptions, 'tables' | 'all'>): readonly Table[] {
  const chosen = selectedTables(named?.split(',').map((name) => name.trim()) ?? [], all);
  assertParentsSelected(chosen);
  return chosen;
}

/** What to grant in incident.io for the tables that cannot be read. */
export function adviceFor(permissions: readonly TablePermission[]): string {
  const scopes = missingScopes(permissions);
  if (scopes.length > 0)
    return `Grant the API key ${scopes.join(', ')} in incident.io under Settings → API keys.`;
  return permissions
    .flatMap((permission) => (permission.allowed ? [] : [`${permission.table}: ${permission.message}`]))
    .join(' ');
}

/** How the tables are synced: `--sync-method` and `--every`, for one table or for all of them. */
export function tableSettingsOf(options: LinkOptions, chosen: readonly Table[]): Answers['tables'] {
  const methods = perTable('--sync-method', options.syncMethod, chosen);
  const everys = perTable('--every', options.every, chosen);
  return Object.fromEntries(
    chosen.map((table) => {
      const settings = defaultTableSettings(table, syncMethodFor(table, methods));
      const every = everys.get(table.name) ?? everys.get('');
      return [table.name, every === undefined ? settings : withEvery(settings, every)];
    }),
  );
}

/** Parses `table=value`, or just `value` for all tables, which is stored under an empty name. */
function perTable(flag: string, given: readonly string[], chosen: readonly Table[]): Map<string, string> {
  return new Map(
    given.map((text) => {
      const [value, table, ...more] = text.split('=').toReversed() as [string, string?, ...string[]];
      if (more.length > 0) {
        throw new UsageError(
          `${flag} ${text} has more than one "=".`,
          `Give ${flag} once per table: ${flag} <table>=<value>.`,
        );
      }
      if (table === undefined) return ['', value];
      if (chosen.includes(tableNamed(table))) return [table, value];
      throw new UsageError(
        `${flag} names ${table}, which is not among the tables to sync.`,
        `Add ${table} to --tables.`,
      );
    }),
  );
}

const allSyncMethods: readonly SyncMethod[] = ['full_refresh', 'incremental'];

function syncMethodFor(table: Table, given: ReadonlyMap<string, string>): SyncMethod | undefined {
  const offered = syncMethodsOf(table);
  const named = given.get(table.name);
  const asked = named ?? given.get('');
  if (asked === undefined) return undefined;
  const method = choices('--sync-method', asked, allSyncMethods);
  if (offered.includes(method)) return method;
  // A method given for all tables applies only to those that offer it.
  if (named === undefined) return undefined;
  throw new UsageError(
    `${table.name} does not offer --sync-method ${method}.`,
    `Use ${alternatives(offered)} for it.`,
  );
}

function withEvery(settings: TableSettings, every: string): TableSettings {
  // Seconds are allowed only for an API on this machine; that is checked later, with the settings as a whole.
  const frequency = /^[1-9][0-9]*s$/.test(every)
    ? (every as Frequency)
    : choices('--every', every, frequencies);
  return { ...settings, every: frequency };
}
