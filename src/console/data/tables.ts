import { defined } from '../../defined.ts';
import { UsageError } from '../../errors.ts';
import { readSettings } from '../../settings/file.ts';
import { tables } from '../../tables/index.ts';
import { nestedTables } from '../../tables/nested/index.ts';
import type { Column, TableShape } from '../../tables/table.ts';
import { fieldsOf } from '../../warehouse/delta/schema.ts';
import { identifier } from '../../warehouse/duckdb.ts';
import { withDestination } from '../../warehouse/open-warehouse.ts';
import { tablesIn } from '../../warehouse/read/table-files.ts';
import { openStore } from '../../warehouse/store/open-store.ts';
import type { RunCommit } from '../../warehouse/warehouse.ts';
import type { DataTables, TableData } from '../contract/data.ts';
import { rowsOf } from './sql.ts';

/** Columns to sort the newest rows by; the first one that a table has is used. */
const timeColumns = ['updated_at', 'created_at', '_synced_at'];
/** How many versions the page offers; each costs reading one file of the log. */
const mostVersions = 50;

const ownColumns: { readonly [name: string]: string } = {
  _synced_at: 'When the row was last written here.',
};

/** The names of the tables in a connection's destination. */
export async function namesIn(file: string): Promise<string[]> {
  const { destination } = await readSettings(file);
  return tablesIn(await openStore(destination));
}

/** The tables in a connection's destination, with their descriptions. */
export async function dataTables(file: string): Promise<DataTables> {
  return {
    tables: (await namesIn(file)).map((table) => {
      const shape = shapeOf(table);
      const declared = tables.find(({ name }) => name === table);
      const nested = nestedTables.find(({ name }) => name === table);
      return {
        table,
        personal: Object.values(shape?.columns ?? {}).some(isPersonal),
        ...defined({
          description: shape?.description,
          group: declared?.group ?? nested?.itemsOf.table.group,
          nestedIn: nested?.itemsOf.table.name,
        }),
      };
    }),
  };
}

/** A table: its columns, its versions and its newest rows. Throws `UsageError` if there is no such table or version. */
export async function tableData(
  file: string,
  table: string,
  { version, limit }: { readonly version?: number | undefined; readonly limit: number },
  signal: AbortSignal,
): Promise<TableData> {
  const { destination } = await readSettings(file);
  const shape = shapeOf(table) ?? { name: table, description: '', primaryKey: [''], columns: {} };
  const { newest, commits, names } = await withDestination(destination, async (warehouse) => {
    const snapshot = await warehouse.snapshotOf(shape);
    if (!snapshot) throw noTable(table);
    return {
      newest: snapshot.version,
      commits: await warehouse.runCommits(shape, mostVersions),
      names: fieldsOf(snapshot.metadata).map(({ name }) => name),
    };
  });
  const shown = version ?? newest;
  const orderedBy = timeColumns.find((name) => names.includes(name));
  const order = orderedBy === undefined ? '' : ` ORDER BY ${identifier(orderedBy)} DESC NULLS LAST`;
  const sql = `FROM ${identifier(table)}${order}`;
  const result = await rowsOf(file, { sql, limit, versions: { [table]: shown } }, signal);
  return {
    table,
    version: shown,
    newest,
    versions: commits.map(versionJson),
    columns: result.columns.map((column) => ({ ...column, ...aboutColumn(shape, column.name) })),
    rows: result.rows,
    ...defined({ orderedBy, description: shape.description === '' ? undefined : shape.description }),
  };
}

function aboutColumn({ columns, primaryKey }: TableShape, name: string) {
  const declared = columns[name];
  return {
    // A field that this version does not know may hold anything.
    personal: declared ? isPersonal(declared) : !(name in ownColumns),
    key: primaryKey.includes(name),
    ...defined({ description: declared?.description ?? ownColumns[name] }),
  };
}

function isPersonal({ personal }: Column): boolean {
  return personal === true;
}

function versionJson({
  version,
  at,
  fullRead,
  inserted,
  updated,
  dropped,
  rows,
}: RunCommit): TableData['versions'][number] {
  return { version, at: new Date(at).toISOString(), fullRead, inserted, updated, dropped, rows };
}

function shapeOf(table: string): TableShape | undefined {
  return [...tables, ...nestedTables].find(({ name }) => name === table);
}

function noTable(table: string): UsageError {
  return new UsageError(
    `There is no table ${JSON.stringify(table)} in this destination.`,
    'It may not have been synced yet: look at the list of tables.',
  );
}
