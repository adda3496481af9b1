import { CredentialsError, PermissionError, SourceError } from '../errors.ts';
import type { Table } from '../tables/table.ts';
import type { Call, Client } from './client.ts';
import { readPage } from './pages.ts';
import { openWindows } from './windows.ts';

/** Whether a key may read a table. */
export type TablePermission =
  | { readonly table: string; readonly allowed: true }
  | {
      readonly table: string;
      readonly allowed: false;
      /** The scope the key lacks; absent if the table could not be read for another reason. */
      readonly scope?: string;
      readonly message: string;
    };

/**
 * Asks for the smallest page of each table, all at once: nobody publishes which scopes a key's roles give, so only
 * the 403 tells. A table that cannot be read for another reason counts as not allowed, with that reason, and does
 * not affect the others. Throws `CredentialsError`, because a wrong key is wrong for all tables.
 */
export function readPermissions(
  client: Client,
  tables: readonly Table[],
  call: Call,
): Promise<TablePermission[]> {
  return Promise.all(tables.map((table) => readPermission(client, table, call)));
}

/** Asks for the smallest page of a table. Throws `PermissionError`, with the scope, if the key lacks it. */
export async function assertReadable(client: Client, table: Table, call: Call): Promise<void> {
  const [window] = openWindows(table, [], undefined);
  try {
    await readPage({ client, table, call }, window!, undefined, 1);
  } catch (error) {
    if (!(error instanceof PermissionError) || error.scope !== undefined) throw error;
    throw new PermissionError(error.message, table.scope, error.facts);
  }
}

async function readPermission(client: Client, table: Table, call: Call): Promise<TablePermission> {
  // A signal of its own: Node warns about a leak if more than ten requests listen to the same one.
  const signal = AbortSignal.any([call.signal]);
  try {
    await assertReadable(client, table, { ...call, signal });
    return { table: table.name, allowed: true };
  } catch (error) {
    if (!(error instanceof SourceError) || error instanceof CredentialsError) throw error;
    const { message } = error;
    if (!(error instanceof PermissionError)) return { table: table.name, allowed: false, message };
    return { table: table.name, allowed: false, scope: error.scope!, message };
  }
}
