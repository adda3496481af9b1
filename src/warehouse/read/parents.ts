import { UsageError } from '../../errors.ts';
import type { ParentCondition, TableShape } from '../../tables/table.ts';
import { committedAt } from '../delta/table-state.ts';
import { dataKey, DeltaLog } from '../delta/log.ts';
import { fieldsOf, rowsOfFiles } from '../delta/schema.ts';
import type { Snapshot } from '../delta/snapshot.ts';
import { syncedAt } from '../delta/target-schema.ts';
import { type DuckSession, identifier, literal } from '../duckdb.ts';
import { withinRoom } from '../store/store.ts';
import type { ParentPick, ParentRange, ParentRow, SeenVersion } from '../committed-rows.ts';
import type { World } from '../world.ts';

/**
 * When a version of a table was committed, milliseconds since the epoch: every row written later has a greater
 * `_synced_at`. `undefined` if the log no longer reaches back to it, or the table was made again.
 */
export async function commitTime(
  world: World,
  table: TableShape,
  { tableId, version }: SeenVersion,
): Promise<number | undefined> {
  const snapshot = await new DeltaLog(world, table.name).snapshot(version);
  return snapshot?.metadata.id === tableId ? committedAt(snapshot) : undefined;
}

/**
 * Cuts the parents that are picked into ranges of their keys, in order, with about as many parents in each.
 * `undefined` if the version of the table is gone.
 */
export function parentRanges(
  world: World,
  table: TableShape,
  pick: ParentPick,
  { each, most }: { readonly each: number; readonly most: number },
): Promise<readonly ParentRange[] | undefined> {
  return withParents(world, table, pick, [], async (session) => {
    const [counted] = await session.rows('SELECT count(*) AS parents FROM parents');
    const pieces = Math.min(most, Math.ceil(Number(counted?.['parents']) / each));
    if (pieces === 0) return [];
    const ranges = await session.rows(`
      SELECT max(key) AS last, count(*) AS parents
      FROM (SELECT key, ntile(${pieces}) OVER (ORDER BY key) AS piece FROM parents)
      GROUP BY piece ORDER BY piece`);
    return ranges.map(({ last, parents }, index) => {
      const before = textOrNull(ranges[index - 1]?.['last']);
      return { ...(before !== null && { after: before }), upTo: String(last), count: Number(parents) };
    });
  });
}

/**
 * The first parents of a range, in the order of their keys, with the values of these columns as text.
 * `undefined` if the version of the table is gone.
 */
export function parentsIn(
  world: World,
  table: TableShape,
  pick: ParentPick,
  { after, from, upTo }: Omit<ParentRange, 'count'> & { readonly from?: string },
  { columns, limit }: { readonly columns: readonly string[]; readonly limit: number },
): Promise<readonly ParentRow[] | undefined> {
  const bounds = [
    ...(after === undefined ? [] : [`key > ${literal(after)}`]),
    ...(from === undefined ? [] : [`key >= ${literal(from)}`]),
    ...(upTo === undefined ? [] : [`key <= ${literal(upTo)}`]),
  ];
  return withParents(world, table, pick, columns, async (session) => {
    const found = await session.rows(`
      SELECT * FROM parents ${bounds.length === 0 ? '' : `WHERE ${bounds.join(' AND ')}`}
      ORDER BY key LIMIT ${limit}`);
    return found.map((row) => ({
      key: String(row['key']),
      values: Object.fromEntries(columns.map((column, n) => [column, textOrNull(row[`value${n}`])])),
    }));
  });
}

/** The keys of all parents that are picked; `undefined` if the version of the table is gone. */
export function pickedParents(
  world: World,
  table: TableShape,
  pick: ParentPick,
): Promise<readonly string[] | undefined> {
  return withParents(world, table, pick, [], async (session) =>
    (await session.rows('SELECT key FROM parents')).map(({ key }) => String(key)),
  );
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Gives `work` the table `parents` with the keys of the parents that are picked, and the columns as `value<n>`. */
async function withParents<T>(
  world: World,
  table: TableShape,
  pick: ParentPick,
  columns: readonly string[],
  work: (session: DuckSession) => Promise<T>,
): Promise<T | undefined> {
  const snapshot = await new DeltaLog(world, table.name).snapshot(pick.version);
  if (snapshot?.metadata.id !== pick.tableId) return undefined;
  assertColumns(table, snapshot, [...columns, ...(pick.where ?? []).map(({ column }) => column)]);
  const files = [...snapshot.files.values()].map((add) => ({
    key: dataKey(table.name, add),
    bytes: add.size,
  }));
  const values = columns.map((column, n) => `${columnOf(snapshot, column)}::VARCHAR AS value${n}`);
  return world.store.withLocal((local) =>
    world.duckDb.job(async (session) => {
      const select = (paths: readonly string[]) => `
        SELECT ${[`${identifier(table.primaryKey[0])}::VARCHAR AS key`, ...values].join(', ')}
        FROM (${rowsOfFiles(table.name, fieldsOf(snapshot.metadata), paths)})
        WHERE ${isPicked(table, snapshot, pick)}`;
      await session.run(`CREATE TEMP TABLE parents AS ${select([])}`);
      for (const group of withinRoom(files, local.room)) {
        const paths = await local.paths(group.map(({ key }) => key));
        await session.run(`INSERT INTO parents ${select(paths)}`);
      }
      return work(session);
    }),
  );
}

/** SQL for whether the children of a parent's row are read. */
function isPicked(table: TableShape, snapshot: Snapshot, { where = [], only }: ParentPick): string {
  const key = `${identifier(table.primaryKey[0])}::VARCHAR`;
  const possible = [`${key} IS NOT NULL`, ...where.map((condition) => holds(snapshot, condition))];
  if (!only) return possible.join(' AND ');
  const { since, open, turn, left } = only;
  const reasons = [
    `epoch_ms(${identifier(syncedAt)}) > ${since}`,
    ...(open.length > 0 ? [`(${open.map((condition) => holds(snapshot, condition)).join(' AND ')})`] : []),
    ...(turn ? [isItsTurn(key, turn)] : []),
    ...(left.length > 0 ? [`${key} IN (${left.map(literal).join(', ')})`] : []),
  ];
  return `${possible.join(' AND ')} AND (${reasons.join(' OR ')})`;
}

/**
 * SQL for whether a parent's turn comes between two times. Each parent has its own moment within the period, which its
 * key determines and which recurs in every period.
 */
function isItsTurn(
  key: string,
  { everyMs, from, to }: NonNullable<NonNullable<ParentPick['only']>['turn']>,
): string {
  const moment = `(md5_number_lower(${key}) % ${everyMs})::BIGINT`;
  const since = `((${moment} - ${from % everyMs} + ${everyMs}) % ${everyMs})`;
  return `(${since} > 0 AND ${since} <= ${to - from})`;
}

function holds(snapshot: Snapshot, { column, path, oneOf }: ParentCondition): string {
  const stored = columnOf(snapshot, column);
  const value = path
    ? `json_extract_string(${stored}, ${literal(['$', ...path].join('.'))})`
    : `${stored}::VARCHAR`;
  const listed = oneOf.filter((one) => one !== null).map((one) => literal(String(one)));
  const tests = [
    ...(listed.length > 0 ? [`coalesce(${value} IN (${listed.join(', ')}), false)`] : []),
    ...(oneOf.includes(null) ? [`${value} IS NULL`] : []),
  ];
  return `(${tests.join(' OR ')})`;
}

/** Without one of these columns no parent would be found, and all their children would be dropped. */
function assertColumns({ name }: TableShape, { metadata }: Snapshot, needed: readonly string[]): void {
  const present = new Set(fieldsOf(metadata).map((field) => field.name));
  const missing = needed.filter((column) => !present.has(column));
  if (missing.length === 0) return;
  throw new UsageError(
    `${name} has no column ${missing.join(', ')}, by which other tables are read.`,
    `Do not leave it out of ${name}, or leave out the tables that are read by it. If it is new, sync ${name} first.`,
  );
}

/** A column that only adds facts about a parent may be missing, and is then empty. */
function columnOf({ metadata }: Snapshot, column: string): string {
  return fieldsOf(metadata).some(({ name }) => name === column) ? identifier(column) : 'NULL';
}
