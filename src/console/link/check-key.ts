import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defined } from '../../defined.ts';
import { UsageError } from '../../errors.ts';
import { readKeyFacts } from '../../connections/key-facts.ts';
import { checkedBaseUrl, defaultBaseUrl } from '../../incident-io/base-url.ts';
import type { TablePermission } from '../../incident-io/permissions.ts';
import { hideSecrets } from '../../secrets.ts';
import { readSettings } from '../../settings/file.ts';
import { ownKeyFileIfAny } from '../../settings/key-file.ts';
import { checkedKey } from '../../settings/key.ts';
import { defaultTables, tableNamed, tables } from '../../tables/index.ts';
import { withTheirParents } from '../../tables/parents.ts';
import type { CheckedKey, KeyRequest } from '../contract/link.ts';
import type { Sources } from '../sources.ts';
import type { Draft } from './drafts.ts';
import { estimatesOf } from './estimate.ts';

const whereToTick = 'In incident.io under Settings → API keys, edit the key and tick these scopes.';

/** Asks whose key it is and which tables it can read. Throws `CredentialsError`, `UsageError`. */
export async function checkKey(
  { key: pasted, baseUrl: address = defaultBaseUrl }: KeyRequest,
  signal: AbortSignal,
): Promise<Draft> {
  const baseUrl = checkedBaseUrl(address);
  const key = checkedKey(pasted, 'the input');
  return { key, baseUrl, facts: await readKeyFacts({ apiKey: key, baseUrl }, tables, signal) };
}

/** A checked key as it is answered: everything but the key itself. */
export async function keyJson(id: string, { facts }: Draft, sources: Sources): Promise<CheckedKey> {
  const { identity, permissions } = facts;
  const estimates = estimatesOf(permissions);
  const readable = new Set(permissions.filter(({ allowed }) => allowed).map(({ table }) => table));
  return {
    draft: id,
    account: identity.account,
    ...defined({ name: identity.name }),
    tables: permissions.map((permission) => ({
      ...permissionJson(permission),
      ...defined({ estimate: estimates.get(permission.table) }),
    })),
    missingScopes: missingOf(permissions),
    whereToTick,
    suggested: withTheirParents(defaultTables.filter(({ name }) => readable.has(name))).map(
      ({ name }) => name,
    ),
    defaults: await freeNames(sources),
  };
}

function permissionJson(permission: TablePermission): CheckedKey['tables'][number] {
  const { table, allowed } = permission;
  if (allowed) return { table, allowed, ...defined({ rows: permission.rows }) };
  return {
    table,
    allowed,
    message: hideSecrets(permission.message),
    ...defined({ scope: permission.scope }),
  };
}

/** The scopes that suggested tables lack, with the tables. */
function missingOf(permissions: readonly TablePermission[]): CheckedKey['missingScopes'] {
  const missing = new Map<string, string[]>();
  for (const permission of permissions) {
    if (permission.allowed || permission.scope === undefined) continue;
    if (tableNamed(permission.table).selectedBy !== undefined) continue;
    missing.set(permission.scope, [...(missing.get(permission.scope) ?? []), permission.table]);
  }
  return [...missing].map(([scope, of]) => ({ scope, tables: of }));
}

/** A name and a destination that no other connection has. */
async function freeNames(sources: Sources): Promise<CheckedKey['defaults']> {
  const taken = new Set<string>();
  for (const { file } of await sources.all()) {
    const settings = await readSettings(file).catch((error: unknown) => {
      // Invalid settings do not serve a connection that could conflict. The list of sources shows what is wrong.
      if (error instanceof UsageError) return undefined;
      throw error;
    });
    if (settings) taken.add(settings.connection).add(settings.destination);
  }
  const numbered = (name: string, isFree: (name: string) => boolean) => {
    for (let number = 1; ; number += 1) {
      const candidate = number === 1 ? name : `${name}-${number}`;
      if (isFree(candidate)) return candidate;
    }
  };
  const connection = numbered('incident-io', (name) => {
    const keyFile = ownKeyFileIfAny(name);
    return !taken.has(name) && (keyFile === undefined || !existsSync(keyFile));
  });
  const destination = numbered(join(sources.folder, 'warehouse'), (folder) => !taken.has(folder));
  return { connection, destination, ...defined({ keyFile: ownKeyFileIfAny(connection) }) };
}
