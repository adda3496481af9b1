import type { TableShape } from '../../tables/table.ts';
import type { Add } from '../delta/actions.ts';
import { dataKey, DeltaLog } from '../delta/log.ts';
import { type DuckSession, identifier, parquetFiles } from '../duckdb.ts';
import { type LocalFiles, withinRoom } from '../store/store.ts';
import type { CommitRequest } from '../warehouse.ts';
import type { ReplacedOverlap, ReplacedParents, ReplacedTimes } from '../replaced-rows.ts';
import type { ParentColumns } from '../committed-rows.ts';
import type { World } from '../world.ts';
import { keyColumns } from './parent-keys.ts';
import { stagingOf } from './part-writer.ts';

/**
 * The data files of the version of the parent's table that a commit compares with; empty if it replaces no parents.
 * `undefined` if that version is no longer in the log, or the table was made again.
 */
export async function parentFiles(
  world: World,
  { replaces }: CommitRequest,
): Promise<readonly Add[] | undefined> {
  if (!replaces || !('alive' in replaces)) return [];
  const { table, tableId, version } = replaces.alive;
  const snapshot = await new DeltaLog(world, table).snapshot(version);
  return snapshot?.metadata.id === tableId ? [...snapshot.files.values()] : undefined;
}

type Replacing = {
  readonly session: DuckSession;
  readonly local: LocalFiles;
  readonly table: TableShape;
  readonly request: CommitRequest;
  /** As `parentFiles` returned them. */
  readonly parents: readonly Add[];
};

/** SQL for whether a row of a data file is among those that the run replaces; `undefined` if it replaces none. */
export async function isReplaced(replacing: Replacing): Promise<string | undefined> {
  const { replaces } = replacing.request;
  if (!replaces) return undefined;
  return 'alive' in replaces ? isOfParents(replacing, replaces) : isWithin(replaces);
}

/** SQL for whether a row's time is in one of the ranges; false for a row without a time. */
function isWithin({ column, ranges }: ReplacedTimes): string {
  const time = `epoch_ms(${identifier(column)})`;
  const within = ranges.map(({ from, to }) => `(${time} >= ${from} AND ${time} < ${to})`);
  return `coalesce(${within.join(' OR ') || 'false'}, false)`;
}

/** SQL for whether a row overlaps a time; false for a row without a start or an end. */
function isOverlapping({ start, end, from, to }: ReplacedOverlap): string {
  return `coalesce(epoch_ms(${identifier(start)}) < ${to} AND epoch_ms(${identifier(end)}) > ${from}, false)`;
}

/** Reads the keys of the parents into temporary tables, which the SQL looks them up in. */
async function isOfParents(
  { session, local, table, request, parents }: Replacing,
  { by, read, within, alive, keepsOthers }: ReplacedParents,
): Promise<string> {
  const columns = keyColumns(table, by);
  const staging = stagingOf(table, request.chainId);
  const stagedKeys = read.map(({ name, bytes }) => ({ key: staging + name, bytes }));
  const aliveKeys = parents.map((add) => ({ key: dataKey(alive.table, add), bytes: add.size }));
  const names = columns.map(([name]) => name);
  for (const [target, sources, files] of [
    ['read_parents', names, stagedKeys],
    ['alive_parents', alive.key, aliveKeys],
  ] as const) {
    await session.run(
      `CREATE TEMP TABLE ${target} (${columns.map(([name, type]) => `${name} ${type}`).join(', ')})`,
    );
    const values = columns.map(([name, type], n) => `${identifier(sources[n]!)}::${type} AS ${name}`);
    for (const group of withinRoom(files, local.room)) {
      const paths = await local.paths(group.map(({ key }) => key));
      await session.run(`INSERT INTO ${target} SELECT ${values.join(', ')} FROM ${parquetFiles(paths)}`);
    }
  }
  const isIn = (target: string) => isKeyIn(by, target);
  const isRead = within ? `${isIn('read_parents')} AND ${isOverlapping(within)}` : isIn('read_parents');
  return keepsOthers ? `(${isRead})` : `(${isRead} OR NOT ${isIn('alive_parents')})`;
}

/**
 * SQL for whether a staged row counts: a parent that could not be read to its end stays as it was. `undefined` if all
 * do. Uses the tables that `isReplaced` has made.
 */
export function isWanted({ replaces }: CommitRequest): string | undefined {
  return replaces && 'alive' in replaces ? isKeyIn(replaces.by, 'read_parents') : undefined;
}

/** As structs, in which null equals null: a row with null in its parent's key has a parent with null there, or none. */
function isKeyIn(by: ParentColumns, target: string): string {
  const struct = (values: readonly string[]) =>
    `{${values.map((value, n) => `key${n}: ${value}`).join(', ')}}`;
  return `${struct(by.map(identifier))} IN (SELECT ${struct(by.map((_, n) => `key${n}`))} FROM ${target})`;
}
