import type { TableFailure } from '../failure.ts';
import { createClient } from '../incident-io/client.ts';
import { readIdentity } from '../incident-io/identity.ts';
import { resolveKey } from '../settings/key.ts';
import type { Settings } from '../settings/settings.ts';
import { tableNamed } from '../tables/index.ts';
import type { Table } from '../tables/table.ts';
import { assertSameAccount } from '../warehouse/commit/account.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { isFailure, perTable } from './per-table.ts';

/** `dashboard_url` of the account that a key belongs to; `unknown` if the API does not say. Throws `CredentialsError`. */
export async function accountOf(
  { apiKey, baseUrl }: { readonly apiKey: string; readonly baseUrl: string },
  signal: AbortSignal,
): Promise<string> {
  return (await readIdentity(createClient({ apiKey, baseUrl }), { signal })).account;
}

/**
 * Checks that no table of the destination belongs to another account, before anything is changed. A table that cannot
 * be read is not compared: its own runs check the account again.
 * @returns the tables that could not be read, and why
 *
 * Throws `AccountMismatchError`.
 */
export async function assertOwnTables(
  warehouse: Pick<Warehouse, 'destination' | 'readState'>,
  tables: readonly Table[],
  account: string,
): Promise<TableFailure[]> {
  const checked = await perTable(tables, async (table) => {
    assertSameAccount(warehouse.destination, table.name, await warehouse.readState(table), account);
    return {};
  });
  return checked.filter(isFailure);
}

/**
 * The account of a connection's key, after checking that no other account feeds its tables.
 * @returns with the tables that could not be read to compare their account
 *
 * Throws `AccountMismatchError`, `CredentialsError`, and what `resolveKey` throws.
 */
export async function checkedAccount(
  warehouse: Pick<Warehouse, 'destination' | 'readState'>,
  settings: Settings,
  signal: AbortSignal,
): Promise<{ readonly account: string; readonly unread: readonly TableFailure[] }> {
  const apiKey = await resolveKey(settings.apiKey);
  const account = await accountOf({ apiKey, baseUrl: settings.baseUrl }, signal);
  const tables = Object.keys(settings.tables).map(tableNamed);
  return { account, unread: await assertOwnTables(warehouse, tables, account) };
}
