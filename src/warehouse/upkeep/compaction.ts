import { rm } from 'node:fs/promises';

import type { CommitWorld } from '../world.ts';
import { bytesPerFile, deleteUncommitted, rowsPerFile, writeDataFile } from '../delta/data-file.ts';
import { type Add, removeOf } from '../delta/actions.ts';
import { dataKey, type DeltaLog, type Snapshot } from '../delta/log.ts';
import { identifier } from '../duckdb.ts';
import { statisticsIn } from '../commit/merge.ts';
import { duckTypeOf, fieldsOf, rowsOfFiles } from '../delta/schema.ts';
import { writesFolder } from '../store/store.ts';
import { assertWritableTable } from '../delta/table-state.ts';

/**
 * So many files of about one size become one: a row is then written anew a handful of times on its way from a run
 * with one new row to a whole file, and a table has few small files at any time.
 */
const filesTogether = 8;

/**
 * The small files to compact next, in the order of their ids; `undefined` where it is not worth it. The same table
 * gives the same answer. Together they make at most one whole file.
 */
export function compactionOf(files: Iterable<Add>): readonly Add[] | undefined {
  const sizes = new Map<number, Add[]>();
  for (const add of files) {
    const share = shareOf(add);
    if (share >= 0.5) continue;
    const size = Math.floor(-Math.log(share) / Math.log(filesTogether));
    const alike = sizes.get(size);
    if (alike) alike.push(add);
    else sizes.set(size, [add]);
  }
  // The smallest first: what becomes of them counts among the larger ones.
  const size = Math.max(...[...sizes].filter(([, { length }]) => length >= filesTogether).map(([of]) => of));
  const alike = sizes.get(size);
  if (!alike) return undefined;
  const inOrder = alike
    .map((add) => ({ add, place: `${lowestId(add)}\0${add.path}` }))
    .sort((a, b) => (a.place < b.place ? -1 : 1));
  const chosen: Add[] = [];
  let share = 0;
  for (const { add } of inOrder) {
    share += shareOf(add);
    if (share > 1) break;
    chosen.push(add);
  }
  return chosen;
}

function lowestId(add: Add): string {
  const id = statisticsIn(add).minValues?.['id'];
  return typeof id === 'string' ? id : '';
}

/** Of a whole data file, more than 0. */
function shareOf(add: Add): number {
  const rows = statisticsIn(add).numRecords ?? 0;
  return Math.max(rows / rowsPerFile, add.size / bytesPerFile, 1 / rowsPerFile);
}

/**
 * Makes one file of some, with their rows as they are, in a version that changes no data and leaves the counter
 * alone. It gives way: where a version came in between that removed one of them, nothing is committed.
 * @returns whether it was committed
 */
export async function compact(
  world: CommitWorld,
  log: DeltaLog,
  table: string,
  snapshot: Snapshot,
  inputs: readonly Add[],
): Promise<boolean> {
  const now = world.now();
  const output = await writeTogether(world, table, snapshot, inputs, now);
  const adds = output ? [output] : [];
  const removes = inputs.map((add) => ({ remove: removeOf(add, now, false) }));
  for (let before = snapshot; ;) {
    const commitInfo = {
      timestamp: now,
      operation: 'OPTIMIZE',
      operationParameters: { predicate: '[]' },
      operationMetrics: {
        numRemovedFiles: String(inputs.length),
        numRemovedBytes: String(inputs.reduce((sum, { size }) => sum + size, 0)),
        numAddedFiles: String(adds.length),
        numAddedBytes: String(adds.reduce((sum, { size }) => sum + size, 0)),
      },
      readVersion: before.version,
      isolationLevel: 'SnapshotIsolation',
      isBlindAppend: false,
      engineInfo: 'incident-io-source',
    };
    const actions = [{ commitInfo }, ...removes, ...adds.map((add) => ({ add }))];
    if (await log.commit(before.version + 1, actions, before, now)) return true;
    const newer = await log.snapshot();
    if (newer && inputs.every(({ path }) => newer.files.has(path))) {
      assertWritableTable(table, world.destination, newer);
      before = newer;
      continue;
    }
    return deleteUncommitted(world.store, log, table, adds);
  }
}

async function writeTogether(
  { store, duckDb }: CommitWorld,
  table: string,
  { metadata }: Snapshot,
  inputs: readonly Add[],
  now: number,
): Promise<Add | undefined> {
  const fields = fieldsOf(metadata);
  const typed = fields.map((field) => {
    const name = identifier(field.name);
    return `${name}::${duckTypeOf(table, field)} AS ${name}`;
  });
  const scratch = await store.local.scratch(writesFolder);
  try {
    return await store.withLocal(async (local) => {
      const paths = await local.paths(inputs.map((add) => dataKey(table, add)));
      const select = `SELECT ${typed.join(', ')} FROM (${rowsOfFiles(table, fields, paths)})`;
      return duckDb.job((session) =>
        writeDataFile(session, store, { table, select, fields, now, dataChange: false, scratch }),
      );
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
