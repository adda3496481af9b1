import { randomUUID } from 'node:crypto';

import { DestinationError, SourceError } from '../errors.ts';
import { commitRun } from './commit/commit.ts';
import { DeltaLog } from './delta/log.ts';
import { openStore } from './store/open-store.ts';
import { DuckDb } from './duckdb.ts';
import { JsonPartWriter, stagingOf } from './commit/part-writer.ts';
import { resetTable } from './commit/reset.ts';
import { rowCount } from './delta/row-count.ts';
import { probePrefix, spillFolder, stagingFolder, type Store } from './store/store.ts';
import { assertWritableTable, isDisturbed, stateOf } from './delta/table-state.ts';
import { hasDeclaredColumns } from './delta/target-schema.ts';
import { keepUp } from './upkeep/upkeep.ts';
import type { Warehouse } from './warehouse.ts';
import type { World } from './world.ts';

/** Opens the warehouse at a destination, as returned by `destinationOf`. */
export async function openDestination(destination: string): Promise<Warehouse> {
  return openWarehouse(await openStore(destination), { destination });
}

/**
 * Opens the warehouse in a store. Its DuckDB holds at most 512 MB and spills into the store's staging.
 * @param destination the store's absolute path or URL, as people know it
 * @param now the clock, in milliseconds since the epoch; the store must date its files by the same clock
 */
export function openWarehouse(
  store: Store,
  { destination, now = Date.now }: { readonly destination: string; readonly now?: () => number },
): Promise<Warehouse> {
  let probed = false;
  // Parts are in the store; files that become parts are on this machine.
  const places = store.kind === 'folder' ? [store] : [store, store.local];
  const duckDb = new DuckDb(() => store.local.scratch(spillFolder));
  const world: World = { store, duckDb, destination, now };
  return Promise.resolve({
    destination,
    kind: store.kind,
    async assertWritable() {
      if (probed) return;
      await assertWritable(store, destination);
      probed = true;
    },
    async assertReachable() {
      // Each probe would leave two versions behind in a versioned bucket, and this is asked every few seconds.
      if (store.kind === 'folder') await assertWritable(store, destination);
      else await store.read(`${probePrefix}none`);
    },
    async readState(table) {
      const log = new DeltaLog(world, table.name);
      const snapshot = await log.snapshot();
      if (!snapshot) return undefined;
      assertWritableTable(table.name, destination, snapshot);
      const rows = await rowCount(world, table.name, snapshot.files.values());
      const disturbed = (await isDisturbed(log, snapshot)) || !hasDeclaredColumns(table, snapshot.metadata);
      return { ...stateOf(snapshot), rows, disturbed };
    },
    createPart: (table, chainId) => JsonPartWriter.create(world, table, chainId),
    commit: (table, request) => commitRun(world, table, request),
    resetState: (table) => resetTable(world, table),
    async discardStaged(table, chainId) {
      for (const place of places) await place.deleteAll(stagingOf(table, chainId));
    },
    async discardAll(table) {
      for (const place of places) await place.deleteAll(`${stagingFolder}/${table.name}/`);
    },
    keepUp: (table, since, signal) => keepUp(world, table, since, signal),
    close: () => duckDb.close(),
  });
}

async function assertWritable(store: Store, destination: string): Promise<void> {
  const key = `${probePrefix}${randomUUID()}`;
  const first = Buffer.from('first');
  let honoured: boolean;
  try {
    const written = await store.writeIfAbsent(key, first);
    const again = await store.writeIfAbsent(key, Buffer.from('second'));
    honoured = written && !again && first.equals((await store.read(key)) ?? Buffer.of());
    await store.delete([key]);
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new DestinationError(
      `The destination ${destination} cannot be written to: ${error instanceof Error ? error.message : String(error)}.`,
      'Use a folder that exists or can be created, on a disk with free space, and that this user may write to.',
      { cause: error },
    );
  }
  if (honoured) return;
  throw new DestinationError(
    `The destination ${destination} lets a second writer replace a file, so commits could be lost.`,
    'Use a local disk, or a store that supports conditional writes (If-None-Match: *).',
  );
}
