import { defined } from '../defined.ts';
import { missedRows } from './read/missed.ts';
import { commitTime, parentRanges, parentsIn } from './read/parents.ts';
import { changesSince } from './read/changes.ts';
import { eachRow } from './read/each-row.ts';
import { rowsByDay } from './read/rows-by-day.ts';
import { compare, readDifference } from './read/difference.ts';
import { DeltaLog } from './delta/log.ts';
import { openStore } from './store/open-store.ts';
import { DuckDb } from './duckdb.ts';
import { ParentKeyWriter } from './commit/parent-keys.ts';
import { createPart, stagingOf } from './commit/part-writer.ts';
import { resetTable } from './commit/reset.ts';
import { runCommits } from './commit/run-commits.ts';
import { rowCount } from './delta/row-count.ts';
import { assertReachable, probeStore } from './store/probe.ts';
import { notesFolder, spillFolder, stagingFolder, type Store } from './store/store.ts';
import { KnownSnapshots } from './delta/known-snapshots.ts';
import { assertWritableTable, lastCommitOf, stateOf } from './delta/table-state.ts';
import { hasDeclaredColumns } from './delta/target-schema.ts';
import type { Warehouse } from './warehouse.ts';
import type { World } from './world.ts';

export type WarehouseOptions = {
  /** The store's absolute path or URL, as shown to people. */
  readonly destination: string;
  /** The clock, in milliseconds since the epoch; the store must date its files by the same clock. */
  readonly now?: () => number;
  /**
   * The engine of several warehouses. If left out, the warehouse has one of its own, which holds at most 512 MB, spills
   * into the store's staging, and is closed with the warehouse.
   */
  readonly engine?: DuckDb;
  /** What is known of the tables of several warehouses, within one limit; by default each keeps its own. */
  readonly snapshots?: KnownSnapshots;
};

/** Opens the warehouse at a destination, as returned by `destinationOf`. */
export async function openDestination(
  destination: string,
  options: Omit<WarehouseOptions, 'destination'> = {},
): Promise<Warehouse> {
  return openWarehouse(await openStore(destination), { ...options, destination });
}

/** Opens the warehouse at a destination for as long as `work` lasts. */
export async function withDestination<T>(
  destination: string,
  work: (warehouse: Warehouse) => Promise<T>,
): Promise<T> {
  const warehouse = await openDestination(destination);
  try {
    return await work(warehouse);
  } finally {
    await warehouse.close();
  }
}

/** Opens the warehouse in a store. */
export function openWarehouse(
  store: Store,
  { destination, now = Date.now, engine: shared, snapshots = new KnownSnapshots() }: WarehouseOptions,
): Promise<Warehouse> {
  let probed: Promise<void> | undefined;
  // Parts are in the store; files that become parts are on this machine.
  const places = store.kind === 'folder' ? [store] : [store, store.local];
  const engine = shared ?? new DuckDb({ makeSpillFolder: () => store.local.scratch(spillFolder) });
  const duckDb = engine.jobsOf(destination);
  const world: World = { store, duckDb, snapshots: snapshots.in(destination), destination, now };
  return Promise.resolve({
    destination,
    kind: store.kind,
    async assertWritable() {
      // All tables ask for this at the same time, and one probe is enough for all of them.
      probed ??= probeStore(store, destination);
      try {
        await probed;
      } catch (error) {
        probed = undefined;
        throw error;
      }
    },
    assertReachable: () => assertReachable(store, destination),
    async readState(table) {
      const log = new DeltaLog(world, table.name);
      const snapshot = await log.snapshot();
      if (!snapshot) return undefined;
      assertWritableTable(table.name, destination, snapshot);
      const rows = await rowCount(world, table.name, snapshot.files.values());
      const lastCommit = hasDeclaredColumns(table, snapshot.metadata)
        ? await lastCommitOf(log, snapshot)
        : undefined;
      return { ...stateOf(snapshot), rows, disturbed: !lastCommit, ...defined({ lastCommit }) };
    },
    runCommits: (table, most) => runCommits(new DeltaLog(world, table.name), most),
    rowsByDay: (table, column) => rowsByDay(world, table, column),
    changesSince: (table, seen, upTo) => changesSince(world, table, seen, upTo),
    eachRow: (table, version, what, use) => eachRow(world, table, version, what, use),
    createPart: (table, chainId, options) => createPart(world, table, chainId, options),
    createKeys: (table, by, chainId) => ParentKeyWriter.create(world, table, { by, chainId }),
    async newestVersion(table) {
      const snapshot = await new DeltaLog(world, table.name).snapshot();
      return snapshot && { tableId: snapshot.metadata.id, version: snapshot.version };
    },
    missedRows: (table, parents, staged) => missedRows(world, table, parents, staged),
    commitTime: (table, version) => commitTime(world, table, version),
    parentRanges: (parent, pick, size) => parentRanges(world, parent, pick, size),
    parentsIn: (parent, pick, range, what) => parentsIn(world, parent, pick, range, what),
    snapshotOf: (table, version) => new DeltaLog(world, table.name).snapshot(version),
    compare: (table, versions) => compare(world, table, versions),
    readDifference: (table, request, use) => readDifference(world, table, request, use),
    async commit(table, request) {
      // Loaded by the first run, because most commands only read: this and upkeep are half of the warehouse.
      const { commitRun } = await import('./commit/commit.ts');
      return commitRun(world, table, request);
    },
    resetState: (table) => resetTable(world, table),
    async discardStaged(table, chainId) {
      for (const place of places) await place.deleteAll(stagingOf(table, chainId));
    },
    async discardAll(table) {
      for (const place of places) await place.deleteAll(`${stagingFolder}/${table.name}/`);
    },
    async keepUp(table, since, signal) {
      const { keepUp } = await import('./upkeep/upkeep.ts');
      return keepUp(world, table, since, signal);
    },
    readNote: async (name) => (await store.read(noteKey(name)))?.toString(),
    writeNote: (name, text) => store.write(noteKey(name), Buffer.from(text)),
    close: () => (shared ? Promise.resolve() : engine.close()),
  });
}

function noteKey(name: string): string {
  return `${notesFolder}/${name}.json`;
}
