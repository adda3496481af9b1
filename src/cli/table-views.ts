import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DestinationError } from '../errors.ts';
import { dataKey, DeltaLog } from '../warehouse/delta-log.ts';
import { DuckDb, identifier, literal } from '../warehouse/duckdb.ts';
import { folderStore } from '../warehouse/folder-store.ts';
import { duckTypeOf, type Field, fieldsOf } from '../warehouse/schema.ts';

/** A table as of its newest version. */
export type TableView = {
  readonly table: string;
  /** DuckDB's SQL of its rows. */
  readonly sql: string;
  /** The files that SQL reads. */
  readonly paths: readonly string[];
};

/**
 * All tables of a folder.
 * @param spill a local folder for what does not fit in memory.
 *
 * Throws `DestinationError` where there are none, or one cannot be read.
 */
export async function tableViewsOf(folder: string, spill: string): Promise<TableView[]> {
  const store = folderStore(folder);
  const duckDb = new DuckDb(() => Promise.resolve(spill));
  try {
    const views: TableView[] = [];
    for (const table of await tablesIn(folder)) {
      const snapshot = await new DeltaLog(store, duckDb, table).snapshot();
      if (!snapshot) continue;
      const keys = [...snapshot.files.values()].map((file) => dataKey(table, file));
      const paths = await Promise.all(keys.map((key) => store.localPath(key)));
      views.push({ table, sql: rowsOf(table, fieldsOf(snapshot.metadata), paths), paths });
    }
    return views;
  } finally {
    await duckDb.close();
  }
}

/** Names of the folders that hold a Delta table. */
async function tablesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    const problem =
      error.code === 'ENOENT' ? `There is no folder ${folder}.` : `${folder} cannot be read (${error.code}).`;
    throw new DestinationError(problem, syncFirst, { cause: error });
  });
  const tables = names.filter((name) => existsSync(join(folder, name, '_delta_log'))).sort();
  if (tables.length === 0) throw new DestinationError(`There are no tables in ${folder}.`, syncFirst);
  return tables;
}

const syncFirst =
  'Give the folder that sync writes to with --from, or fill one: incident-io-source sync --to <folder>.';

/**
 * The rows with the columns of the schema: files from before a column was added lack it, and a table may have no
 * files at all.
 */
function rowsOf(table: string, fields: readonly Field[], paths: readonly string[]): string {
  const names = fields.map(({ name }) => identifier(name)).join(', ');
  const nulls = fields.map((field) => `NULL::${duckTypeOf(table, field)} AS ${identifier(field.name)}`);
  const head = `SELECT ${nulls.join(', ')} WHERE false`;
  if (paths.length === 0) return head;
  const files = `read_parquet([${paths.map(literal).join(', ')}], union_by_name = true)`;
  return `SELECT ${names} FROM (${head} UNION ALL BY NAME SELECT * FROM ${files})`;
}
