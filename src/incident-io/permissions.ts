import { defined } from '../defined.ts';
import { CredentialsError, PermissionError, SourceError } from '../errors.ts';
import { columnValue } from '../records/rows.ts';
import { tableNamed, tables as declaredTables } from '../tables/index.ts';
import { isChild, parentColumns } from '../tables/parents.ts';
import type { Table } from '../tables/table.ts';
import { childSlice } from './children.ts';
import type { Call, Client } from './client.ts';
import { readPage, type Slice } from './pages.ts';
import { openWindows } from './windows.ts';

/** Whether a key may read a table. */
export type TablePermission =
  | {
      readonly table: string;
      readonly allowed: true;
      /** Rows as the API counts them, without those that it hides; absent if it does not count this list. */
      readonly rows?: number;
    }
  | {
      readonly table: string;
      readonly allowed: false;
      /** The scope the key lacks; absent if the table could not be read for another reason. */
      readonly scope?: string;
      readonly message: string;
    };

/**
 * Asks for the smallest page of each table, all at once: it is not documented which scopes a key's roles give, so only
 * the 403 tells. A table that is read parent by parent is as readable as a list with the same scope. A table that
 * cannot be read for another reason counts as not allowed, with that reason, and does not affect the others. Throws
 * `CredentialsError`, because a wrong key is wrong for all tables.
 */
export function readPermissions(
  client: Client,
  tables: readonly Table[],
  call: Call,
): Promise<TablePermission[]> {
  const asked = new Map<Table, Promise<number | undefined>>();
  const ask = async (table: Table): Promise<number | undefined> => {
    const known = listOfScope(table);
    if (known === 'any key') return undefined;
    // A signal of its own: Node warns about a leak if more than ten requests listen to the same one.
    const answer =
      asked.get(known) ?? askFor(client, known, { ...call, signal: AbortSignal.any([call.signal]) });
    asked.set(known, answer);
    const total = await answer;
    return known === table ? total : undefined;
  };
  return Promise.all(tables.map((table) => readPermission(table, ask(table))));
}

/** Asks for the smallest page of a table. Throws `PermissionError`, with the scope, if the key lacks it. */
export async function assertReadable(client: Client, table: Table, call: Call): Promise<void> {
  const known = listOfScope(table);
  if (known !== 'any key') await askFor(client, known, call);
}

/**
 * The table to ask for: instead of a table that is read parent by parent, one with the same scope that has a list of
 * its own, because no parent is known yet. If there is none, the table itself.
 */
function listOfScope(table: Table): Table | 'any key' {
  if (!table.parent) return table;
  if (table.scope === undefined) return 'any key';
  const others = declaredTables.filter(({ scope }) => scope === table.scope);
  return (
    others.find(({ parent }) => !parent) ?? others.find(({ name }) => name === table.parent?.table) ?? table
  );
}

/** Returns the count of rows, if the API gives one. */
async function askFor(client: Client, table: Table, call: Call): Promise<number | undefined> {
  try {
    const slice = await sliceToAskFor(client, table, call);
    return slice && (await readPage({ client, table, call }, slice, undefined, 1)).total;
  } catch (error) {
    if (!(error instanceof PermissionError) || error.scope !== undefined) throw error;
    throw new PermissionError(error.message, table.scope, error.facts);
  }
}

/** For a table that is read parent by parent: the list of the first parent; `undefined` if there is no parent. */
async function sliceToAskFor(client: Client, table: Table, call: Call): Promise<Slice | undefined> {
  if (!isChild(table)) return openWindows(table, [], undefined)[0];
  const parent = tableNamed(table.parent.table);
  const slice = await sliceToAskFor(client, parent, call);
  const page = slice && (await readPage({ client, table: parent, call }, slice, undefined, 1));
  const record = page?.records[0];
  if (!record) return undefined;
  const values = parentColumns(table.parent).map((column) => {
    const value = columnValue(parent, column, record, undefined, slice?.parent?.given);
    return [column, typeof value === 'string' ? value : null] as const;
  });
  return childSlice(table, Object.fromEntries(values));
}

async function readPermission(table: Table, answer: Promise<number | undefined>): Promise<TablePermission> {
  try {
    return { table: table.name, allowed: true, ...defined({ rows: await answer }) };
  } catch (error) {
    if (!(error instanceof SourceError) || error instanceof CredentialsError) throw error;
    const { message } = error;
    if (!(error instanceof PermissionError)) return { table: table.name, allowed: false, message };
    return { table: table.name, allowed: false, scope: error.scope!, message };
  }
}
