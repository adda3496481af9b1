import { randomUUID } from 'node:crypto';

import { DestinationError, SourceError } from '../errors.ts';
import { commitRun, rowsOf } from './commit/commit.ts';
import { DeltaLog } from './delta/log.ts';
import { openStore } from './store/open-store.ts';
import { DuckDb } from './duckdb.ts';
import { JsonPartWriter, stagingOf } from './commit/part-writer.ts';
import { resetTable } from './commit/reset.ts';
import { hasDeclaredColumns } from './delta/schema.ts';
import { probePrefix, spillFolder, type Store } from './store/store.ts';
import { assertWritableTable, isDisturbed, stateOf } from './delta/table-state.ts';
import { keepUp } from './upkeep/upkeep.ts';
import type { Warehouse } from './warehouse.ts';

/** The warehouse of a destination as `destinationOf` gives it. */
export async function openDestination(destination: string): Promise<Warehouse> {
  return openWarehouse(await openStore(destination), { destination });
}

/**
 * The warehouse in a store. Its DuckDB holds at most 512 MB and spills into the store's staging.
 * @param destination where a person finds it: an absolute path or a URL
 * @param now the clock, milliseconds since the epoch; the store's files are to be dated by the same
 */
export function openWarehouse(
  store: Store,
  { destination, now = Date.now }: { readonly destination: string; readonly now?: () => number },
): Promise<Warehouse> {
  let probed = false;
  // Parts lie in the store; what is on its way to them lies on this machine.
  const places = store.kind === 'folder' ? [store] : [store, store.local];
  const duckDb = new DuckDb(() => store.local.scratch(spillFolder));
  const world = { store, duckDb, destination, now };
  return Promise.resolve({
    destination,
    kind: store.kind,
    async assertWritable() {
      if (probed) return;
      await assertWritable(store, destination);
      probed = true;
    },
    async assertReachable() {
      // Of a versioned bucket each probe leaves two versions behind, and this is asked for ever.
      if (store.kind === 'folder') await assertWritable(store, destination);
      else await store.read(`${probePrefix}none`);
    },
    async readState(table) {
      const log = new DeltaLog(store, duckDb, table.name);
      const snapshot = await log.snapshot();
      if (!snapshot) return undefined;
      assertWritableTable(table.name, destination, snapshot);
      return stateOf(
        snapshot,
        await rowsOf(store, duckDb, table, snapshot),
        (await isDisturbed(log, snapshot)) || !hasDeclaredColumns(table, snapshot.metadata),
      );
    },
    createPart: (table, chainId) => JsonPartWriter.create(store, duckDb, table, chainId, now),
    commit: (table, request) => commitRun(world, table, request),
    resetState: (table) => resetTable(world, table),
    async discardStaged(table, chainId) {
      for (const place of places) await place.deleteAll(stagingOf(table, chainId));
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
      'Give a folder that exists or can be made, on a disk with room, and that this user may write to.',
      { cause: error },
    );
  }
  if (honoured) return;
  throw new DestinationError(
    `The destination ${destination} does not keep a second writer from replacing a file, so commits could be lost.`,
    'Use a local disk, or a store that honours writing only where nothing is.',
  );
}
