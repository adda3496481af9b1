import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StateError } from '../../errors.ts';
import type { TableShape } from '../../tables/table.ts';
import { type Key, keyOf } from '../commit/key.ts';
import type { Add } from '../delta/actions.ts';
import { rowsPerGroup } from '../delta/data-file.ts';
import { dataKey } from '../delta/log.ts';
import { duckTypeOf, fieldsOf, rowsOfFiles } from '../delta/schema.ts';
import type { Snapshot } from '../delta/snapshot.ts';
import { syncedAt } from '../delta/target-schema.ts';
import { type DuckSession, identifier, literal, parquetFiles } from '../duckdb.ts';
import { sideBySide } from '../side-by-side.ts';
import { type LocalFiles, withinRoom, writesFolder } from '../store/store.ts';
import type { World } from '../world.ts';

/**
 * A place in a difference: everything up to and including this row of this data file has been given. The files are
 * those that only the newer version has, in the order of their paths; deleted rows come after them, as if in one more
 * file. The same two versions always give the same rows at the same places.
 */
export type Place = { readonly file: number; readonly row: number };

export type DifferenceRequest = {
  /** `undefined` for all rows of the newer version. */
  readonly before: Snapshot | undefined;
  readonly after: Snapshot;
  /** Continues after this place. */
  readonly from?: Place;
  /** SQL for the line of a row and its line break, made of the SQL for its columns. */
  readonly row: (value: ColumnSql) => string;
  /** The same for a deleted row, of which only the key is known. */
  readonly deleted: (value: ColumnSql) => string;
};

/** The SQL for a column of the newer version. */
export type ColumnSql = (column: string) => string;

/** A file of lines. */
export type LinesFile = {
  readonly path: string;
  readonly lines: number;
  /** Where the next one begins. */
  readonly place: Place;
};

/**
 * Lines per file: a reader can record its position after each file. They are a row group, so that reading a whole
 * data file unpacks each of them once.
 */
const linesPerFile = rowsPerGroup;

/**
 * See `Warehouse.readDifference`. A row has changed if it is in a file of the newer version only and no row of the other
 * files has its key and its `_synced_at`, which moves whenever a row changes; so rows that were only moved to another
 * file do not count. It is deleted if its key is only in files of the older version.
 */
export async function readDifference(
  world: World,
  table: TableShape,
  request: DifferenceRequest,
  use: (lines: LinesFile) => Promise<void>,
): Promise<void> {
  const { before, after } = request;
  const added = onlyIn(after, before);
  const removed = before ? onlyIn(before, after) : [];
  if (added.length + removed.length === 0) return;
  const scratch = await world.store.local.scratch(writesFolder);
  try {
    await world.store.withLocal((local) =>
      world.duckDb.job(async (session) => {
        const key = keyOf(table);
        const comparing = { session, local, table, after, key, added, removed };
        const reading: Reading = { ...comparing, request, scratch, use };
        if (removed.length > 0) await findRowsBefore(reading, before!);
        for (const file of added.keys()) await giveChanged(reading, file);
        if (removed.length > 0) await giveDeleted(reading);
      }),
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** See `Warehouse.compare`. */
export async function compare(
  world: World,
  table: TableShape,
  { before, after }: Pick<DifferenceRequest, 'before' | 'after'>,
): Promise<{ readonly holdsDeleted: boolean }> {
  const added = onlyIn(after, before);
  const removed = before ? onlyIn(before, after) : [];
  await assertThere(world, table, [...added, ...removed]);
  if (removed.length === 0) return { holdsDeleted: false };
  return world.store.withLocal((local) =>
    world.duckDb.job(async (session) => {
      const comparing = { session, local, table, after, key: keyOf(table), added, removed };
      await findRowsBefore(comparing, before!);
      await findDeleted(comparing);
      const [deleted] = await session.rows('SELECT count(*) AS rows FROM deleted');
      return { holdsDeleted: Number(deleted?.['rows']) > 0 };
    }),
  );
}

/** Two versions that are being compared. */
type Comparing = {
  readonly session: DuckSession;
  readonly local: LocalFiles;
  readonly table: TableShape;
  readonly after: Snapshot;
  readonly key: Key;
  readonly added: readonly Add[];
  readonly removed: readonly Add[];
};

type Reading = Comparing & {
  readonly request: DifferenceRequest;
  readonly scratch: string;
  readonly use: (lines: LinesFile) => Promise<void>;
};

/** The data files of a version that another one does not have. */
function onlyIn({ files }: Snapshot, other: Snapshot | undefined): Add[] {
  return [...files.values()]
    .filter(({ path }) => other?.files.has(path) !== true)
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Upkeep deletes files some time after a commit has removed them. */
async function assertThere({ store }: World, table: TableShape, files: readonly Add[]): Promise<void> {
  const found = await sideBySide(files, async (add) => {
    const key = dataKey(table.name, add);
    return (await store.list(key)).some((object) => object.key === key);
  });
  if (found.includes(false)) {
    throw new StateError(
      `${table.name}: the state is older than the table's retention: data files of that time have been deleted`,
    );
  }
}

/** Leaves the table `before`: keys and times of the rows in files that only the older version has. */
async function findRowsBefore(comparing: Comparing, before: Snapshot): Promise<void> {
  const { session, key, removed } = comparing;
  await session.run(`CREATE TEMP TABLE before (${key.definitions}, written TIMESTAMPTZ)`);
  await eachGroup(comparing, removed, before, (rows) =>
    session.run(`INSERT INTO before SELECT ${key.select}, ${identifier(syncedAt)} FROM (${rows})`),
  );
}

async function eachGroup(
  { local, table }: Comparing,
  files: readonly Add[],
  { metadata }: Snapshot,
  work: (rows: string) => Promise<void>,
): Promise<void> {
  const objects = files.map((add) => ({ key: dataKey(table.name, add), bytes: add.size }));
  for (const group of withinRoom(objects, local.room)) {
    const paths = await local.paths(group.map(({ key }) => key));
    await work(rowsOfFiles(table.name, fieldsOf(metadata), paths));
  }
}

/** Gives the changed rows of a data file. */
async function giveChanged(reading: Reading, file: number): Promise<void> {
  const { session, local, table, request, key, added, removed } = reading;
  const from = request.from ?? { file: -1, row: -1 };
  if (file < from.file) return;
  const [path] = await local.paths([dataKey(table.name, added[file]!)]);
  const source = parquetFiles([path!]);
  const same = key.columns.map(({ column, name }) => `before.${name} = row.${identifier(column)}`);
  const isUnchanged = `EXISTS (
    FROM before
    WHERE ${same.join(' AND ')} AND written IS NOT DISTINCT FROM row.${identifier(syncedAt)})`;
  await session.run(`
    CREATE OR REPLACE TEMP TABLE changed AS
    SELECT file_row_number AS pos FROM ${source} AS row
    WHERE file_row_number > ${file === from.file ? from.row : -1}
    ${removed.length === 0 ? '' : `AND NOT ${isUnchanged}`}`);
  const { fields, value } = await columnsIn(reading, path!);
  for (const { first, last, rows } of await slicesOf(session, 'changed')) {
    await give(reading, {
      // Row groups without a row of the slice are not read.
      select: `
        SELECT ${request.row(value)} AS line FROM (SELECT ${fields}, file_row_number AS pos FROM ${source})
        WHERE pos BETWEEN ${first} AND ${last}
        ${rows === last - first + 1 ? '' : 'AND pos IN (SELECT pos FROM changed)'}`,
      lines: rows,
      place: { file, row: last },
    });
  }
}

/** The columns of the newer version in a data file, under names that cannot clash; null where the file lacks one. */
async function columnsIn(
  { session, table, request }: Reading,
  path: string,
): Promise<{ readonly fields: string; readonly value: ColumnSql }> {
  const described = await session.rows(`DESCRIBE SELECT * FROM ${parquetFiles([path])}`);
  const present = new Set(described.map(({ column_name: name }) => name));
  const columns = fieldsOf(request.after.metadata);
  const fields = columns.map((field, n) => {
    const value = present.has(field.name) ? identifier(field.name) : 'NULL';
    return `${value}::${duckTypeOf(table.name, field)} AS value${n}`;
  });
  const names = new Map(columns.map(({ name }, n) => [name, `value${n}`]));
  return { fields: fields.join(', '), value: (column) => names.get(column) ?? 'NULL' };
}

/** Leaves the table `deleted`: the keys that are no longer in the table, in order. */
async function findDeleted(comparing: Comparing): Promise<void> {
  const { session, key, after, added } = comparing;
  await session.run(`CREATE TEMP TABLE kept (${key.definitions})`);
  await eachGroup(comparing, added, after, (rows) =>
    session.run(`INSERT INTO kept SELECT ${key.select} FROM (${rows})`),
  );
  await session.run(`
    CREATE TEMP TABLE deleted AS
    SELECT *, row_number() OVER (ORDER BY ${key.names}) - 1 AS pos
    FROM (SELECT ${key.names} FROM before ANTI JOIN kept USING (${key.names}))`);
}

/** Gives the keys that are no longer in the table. */
async function giveDeleted(reading: Reading): Promise<void> {
  const { session, key, request, added } = reading;
  const { from } = request;
  await findDeleted(reading);
  const done = from?.file === added.length ? from.row : -1;
  await session.run(`DELETE FROM deleted WHERE pos <= ${done}`);
  const names = new Map(key.columns.map(({ column, name }) => [column, name]));
  const line = request.deleted((column) => names.get(column) ?? 'NULL');
  for (const { first, last, rows } of await slicesOf(session, 'deleted')) {
    await give(reading, {
      select: `SELECT ${line} AS line FROM deleted WHERE pos BETWEEN ${first} AND ${last}`,
      lines: rows,
      place: { file: added.length, row: last },
    });
  }
}

/** Consecutive rows of a table with `pos`, as many as go into a file of lines. */
async function slicesOf(
  session: DuckSession,
  table: string,
): Promise<{ readonly first: number; readonly last: number; readonly rows: number }[]> {
  const slices = await session.rows(`
    SELECT min(pos) AS first, max(pos) AS last, count(*) AS rows
    FROM (SELECT pos, (row_number() OVER (ORDER BY pos) - 1) // ${linesPerFile} AS slice FROM ${table})
    GROUP BY slice ORDER BY slice`);
  return slices.map(({ first, last, rows }) => ({
    first: Number(first),
    last: Number(last),
    rows: Number(rows),
  }));
}

/**
 * Writes a file of lines and hands it over. DuckDB writes it, because a streamed result would end without an error
 * if the query failed half way, and because JavaScript would spend most of its time decoding texts.
 */
async function give(
  { session, scratch, use }: Reading,
  { select, lines, place }: { readonly select: string; readonly lines: number; readonly place: Place },
): Promise<void> {
  const path = join(scratch, 'lines.jsonl');
  // The CSV writer would check each byte of a line for what needs quotes.
  const [written] = await session.rows(`
    COPY (SELECT encode(line) FROM (${select})) TO ${literal(path)} (FORMAT blob)`);
  if (Number(written?.['Count']) !== lines)
    throw new Error(`${String(written?.['Count'])} of ${lines} lines were written`);
  await use({ path, lines, place });
  await rm(path);
}
