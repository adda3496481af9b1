import { randomUUID } from 'node:crypto';

import { DestinationError, SourceError } from '../errors.ts';
import { commitRun, rowsOf } from './commit.ts';
import { DeltaLog } from './delta-log.ts';
import { openStore } from './destination.ts';
import { DuckDb } from './duckdb.ts';
import { JsonPartWriter, stagingOf } from './part-writer.ts';
import { resetTable } from './reset.ts';
import { spillFolder, stagingFolder, type Store, type StoredObject, writesFolder } from './store.ts';
import { assertWritableTable, isDisturbed, stateOf } from './table-state.ts';
import type { Warehouse } from './warehouse.ts';

/** The warehouse of a destination as `destinationOf` gives it. */
export async function openDestination(destination: string): Promise<Warehouse> {
  return openWarehouse(await openStore(destination), { destination });
}

/**
 * The warehouse in a store. Its DuckDB holds at most 512 MB and spills into the store's staging.
 * @param destination where a person finds it: an absolute path or a URL
 */
export function openWarehouse(
  store: Store,
  { destination }: { readonly destination: string },
): Promise<Warehouse> {
  const duckDb = new DuckDb(() => store.local.scratch(spillFolder));
  return Promise.resolve({
    destination,
    async assertWritable() {
      await assertWritable(store, destination);
    },
    async readState(table) {
      const log = new DeltaLog(store, duckDb, table.name);
      const snapshot = await log.snapshot();
      if (!snapshot) return undefined;
      assertWritableTable(table.name, destination, snapshot);
      return stateOf(
        snapshot,
        await rowsOf(store, duckDb, table, snapshot),
        await isDisturbed(log, snapshot),
      );
    },
    createPart: (table, runId) => JsonPartWriter.create(store, duckDb, table, runId),
    commit: (table, request) => commitRun({ store, duckDb, destination }, table, request),
    resetState: (table) => resetTable({ store, duckDb, destination }, table),
    async discardStaged(table, runId) {
      await store.deleteAll(stagingOf(table, runId));
    },
    async sweepStaged(table, olderThanMs) {
      const oldest = Date.now() - olderThanMs;
      const runs = await sweep(store, `${stagingFolder}/${table.name}/`, oldest);
      await sweep(store, `${writesFolder}/`, oldest);
      await sweep(store, `${spillFolder}/`, oldest);
      return runs;
    },
    close: () => duckDb.close(),
  });
}

async function assertWritable(store: Store, destination: string): Promise<void> {
  const key = `${stagingFolder}/_probe-${randomUUID()}`;
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

/** Deletes what lies in each folder under the prefix if nobody wrote to it since; how many folders went. */
async function sweep(store: Store, prefix: string, oldest: number): Promise<number> {
  const folders = new Map<string, StoredObject[]>();
  for (const object of await store.list(prefix)) {
    const name = object.key.slice(prefix.length).split('/')[0]!;
    const known = folders.get(name);
    if (known) known.push(object);
    else folders.set(name, [object]);
  }
  let swept = 0;
  for (const [name, objects] of folders) {
    if (objects.some(({ writtenAt }) => writtenAt >= oldest)) continue;
    await store.delete(objects.map(({ key }) => key));
    await store.deleteAll(`${prefix}${name}/`);
    swept += 1;
  }
  return swept;
}
