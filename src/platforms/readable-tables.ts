import { createClient } from '../incident-io/client.ts';
import { type Identity, readIdentity } from '../incident-io/identity.ts';
import { readPermissions, type TablePermission } from '../incident-io/permissions.ts';
import { tables } from '../tables/index.ts';
import { isChild } from '../tables/parents.ts';
import type { Table } from '../tables/table.ts';
import type { PlatformConfig } from './config.ts';

export type ReadableTables = {
  readonly identity: Identity;
  readonly readable: readonly Table[];
  /** One sentence per table that the key cannot read. */
  readonly unreadable: readonly string[];
};

/**
 * Which tables a key can read; without a place for the tables, only those that are not read by the rows of another one.
 * Throws `CredentialsError` for a wrong key, and `ApiUnavailableError`. */
export async function readableTables(
  { apiKey, baseUrl, warehouse }: PlatformConfig,
  signal: AbortSignal,
): Promise<ReadableTables> {
  const client = createClient({ apiKey, baseUrl });
  const identity = await readIdentity(client, { signal });
  const permissions = await readPermissions(client, tables, { signal });
  const needsPlace = (table: Table) => warehouse === undefined && isChild(table);
  return {
    identity,
    readable: tables.filter((table, index) => permissions[index]!.allowed && !needsPlace(table)),
    unreadable: [
      ...permissions.filter(({ allowed }) => !allowed).map(sentence),
      ...tables
        .filter(needsPlace)
        .map(({ name }) => `${name} is left out: it can only be read with a place for the tables.`),
    ],
  };
}

function sentence(permission: TablePermission): string {
  if (permission.allowed) return '';
  const { table, scope, message } = permission;
  return scope === undefined
    ? `${table} is left out: ${message}.`
    : `${table} is left out: the API key lacks the scope ${scope}.`;
}
