import { createClient } from '../incident-io/client.ts';
import { type Identity, readIdentity } from '../incident-io/identity.ts';
import { readPermissions, type TablePermission } from '../incident-io/permissions.ts';
import type { Table } from '../tables/table.ts';

/** Whose key it is, and what it can read. */
export type KeyFacts = { readonly identity: Identity; readonly permissions: readonly TablePermission[] };

/** Asks whose key it is and which of the tables it can read. Throws `CredentialsError` for a wrong or revoked key. */
export async function readKeyFacts(
  { apiKey, baseUrl }: { readonly apiKey: string; readonly baseUrl: string },
  tables: readonly Table[],
  signal: AbortSignal,
): Promise<KeyFacts> {
  const client = createClient({ apiKey, baseUrl });
  const identity = await readIdentity(client, { signal });
  return { identity, permissions: await readPermissions(client, tables, { signal }) };
}
