import type { TableFailure } from '../failure.ts';
import { createClient } from '../incident-io/client.ts';
import { readIdentity } from '../incident-io/identity.ts';
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
 * Checks that no table of the destination is fed by another account, before anything is changed. A table that cannot
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
