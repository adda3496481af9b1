import { rm } from 'node:fs/promises';

import type { TableShape } from '../../tables/table.ts';
import { type Action, type Add, type CommitInfo, removeOf } from '../delta/actions.ts';
import { bytesPerFile, deleteUncommitted, rowsPerFile, writeDataFile } from '../delta/data-file.ts';
import { dataKey, type DeltaLog } from '../delta/log.ts';
import { duckTypeOf, fieldsOf, rowsOfFiles } from '../delta/schema.ts';
import type { Snapshot } from '../delta/snapshot.ts';
import { statisticsIn } from '../delta/statistics.ts';
import { assertWritableTable, committedAt } from '../delta/table-state.ts';
import { identifier } from '../duckdb.ts';
import { writesFolder } from '../store/store.ts';
import type { World } from '../world.ts';

/**
 * This many files of about the same size become one. A row is then rewritten only a handful of times on its way from a
 * run with one new row to a file of full size, and a table never has many small files.
 */
const filesTogether = 8;

/**
 * The small files to compact next, in the order of their keys; `undefined` if it is not worth it. Together they make at
 * most one file of full size. The answer depends only on the files, so a commit and the upkeep after it agree.
 */
export function filesToCompact(
  { primaryKey }: Pick<TableShape, 'primaryKey'>,
  files: Iterable<Add>,
): readonly Add[] | undefined {
  const bySize = new Map<number, Add[]>();
  for (const add of files) {
    const share = shareOfFullFile(add);
    if (share >= 0.5) continue;
    const size = Math.floor(-Math.log(share) / Math.log(filesTogether));
    const alike = bySize.get(size);
    if (alike) alike.push(add);
    else bySize.set(size, [add]);
  }
  // The smallest files first (they have the largest number): the file they make then counts among the larger ones.
  const sizes = [...bySize].filter(([, { length }]) => length >= filesTogether).map(([size]) => size);
  const alike = bySize.get(Math.max(...sizes));
  if (!alike) return undefined;
  const chosen: Add[] = [];
  let share = 0;
  for (const add of inOrderOfKeys(primaryKey[0], alike)) {
    share += shareOfFullFile(add);
    if (share > 1) break;
    chosen.push(add);
  }
  return chosen;
}

/** By the lowest value of the key's first column, then by path. */
function inOrderOfKeys(column: string, files: readonly Add[]): Add[] {
  return files
    .map((add) => ({ add, lowest: lowestValue(add, column) }))
    .sort((a, b) => compare(a.lowest, b.lowest) || compare(a.add.path, b.add.path))
    .map(({ add }) => add);
}

function lowestValue(add: Add, column: string): string | number | undefined {
  const lowest = statisticsIn(add).minValues?.[column];
  return typeof lowest === 'string' || typeof lowest === 'number' ? lowest : undefined;
}

/** Unknown values first. */
function compare<Value extends string | number>(a: Value | undefined, b: Value | undefined): number {
  if (a === b) return 0;
  return a === undefined || (b !== undefined && a < b) ? -1 : 1;
}

/** How large a file is compared to one of full size; always more than 0. */
function shareOfFullFile(add: Add): number {
  const rows = statisticsIn(add).numRecords ?? 0;
  return Math.max(rows / rowsPerFile, add.size / bytesPerFile, 1 / rowsPerFile);
}

/** Files of a version to compact. */
export type Compaction = {
  readonly table: string;
  readonly before: Snapshot;
  readonly inputs: readonly Add[];
};

/**
 * Makes one file of several, with their rows unchanged, in a version that changes no data and leaves the counter as it
 * is. It gives way to other commits: if one has removed an input meanwhile, nothing is committed.
 * @returns whether it was committed
 */
export async function compact(
  world: World,
  log: DeltaLog,
  { table, before: planned, inputs }: Compaction,
): Promise<boolean> {
  const now = world.now();
  const output = await writeTogether(world, { table, before: planned, inputs }, now);
  const adds = output ? [output] : [];
  const changes: Action[] = [
    ...inputs.map((add) => ({ remove: removeOf(add, now, false) })),
    ...adds.map((add) => ({ add })),
  ];
  for (let before = planned; ;) {
    const actions = [{ commitInfo: commitInfoOf({ before, inputs, adds, now }) }, ...changes];
    if (await log.commit(before, actions, { now, since: committedAt(before) })) return true;
    const newer = await log.snapshot();
    if (!newer || !inputs.every(({ path }) => newer.files.has(path))) {
      return deleteUncommitted(world, log, table, adds);
    }
    assertWritableTable(table, world.destination, newer);
    before = newer;
  }
}

async function writeTogether(
  { store, duckDb }: World,
  { table, before, inputs }: Compaction,
  now: number,
): Promise<Add | undefined> {
  const fields = fieldsOf(before.metadata);
  const typed = fields.map((field) => {
    const name = identifier(field.name);
    return `${name}::${duckTypeOf(table, field)} AS ${name}`;
  });
  const scratch = await store.local.scratch(writesFolder);
  try {
    return await store.withLocal(async (local) => {
      const paths = await local.paths(inputs.map((add) => dataKey(table, add)));
      const select = `SELECT ${typed.join(', ')} FROM (${rowsOfFiles(table, fields, paths)})`;
      return duckDb.job(
        (session) =>
          writeDataFile({ session, store, table, scratch, now }, { select, fields, dataChange: false }),
        { repeatable: true },
      );
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function commitInfoOf({
  before,
  inputs,
  adds,
  now,
}: Omit<Compaction, 'table'> & { readonly adds: readonly Add[]; readonly now: number }): CommitInfo {
  const bytesOf = (files: readonly Add[]) => String(files.reduce((sum, { size }) => sum + size, 0));
  return {
    timestamp: now,
    operation: 'OPTIMIZE',
    operationParameters: { predicate: '[]' },
    operationMetrics: {
      numRemovedFiles: String(inputs.length),
      numRemovedBytes: bytesOf(inputs),
      numAddedFiles: String(adds.length),
      numAddedBytes: bytesOf(adds),
    },
    readVersion: before.version,
    isolationLevel: 'SnapshotIsolation',
    isBlindAppend: false,
    engineInfo: 'incident-io-source',
  };
}
