import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';
import { expect, onTestFinished } from 'vitest';

import type { ApiRecord, Table } from '../../src/tables/table.ts';
import { openStore } from '../../src/warehouse/store/open-store.ts';
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts';
import { tableFiles } from '../../src/warehouse/read/table-files.ts';
import type { Store } from '../../src/warehouse/store/store.ts';
import type { CommitOutcome, CommitRequest, Warehouse } from '../../src/warehouse/warehouse.ts';
import type { Part } from '../../src/warehouse/part.ts';
import { bucketFolder, destinationAt } from './bucket.ts';
import { linesOf, state } from './things.ts';

export { linesOf, state, steps, things, thingsWith } from './things.ts';

export type Place = {
  /** The folder with its objects, also if they are in a bucket. */
  readonly root: string;
  readonly destination: string;
  readonly store: Store;
  readonly warehouse: Warehouse;
  readonly folderOf: (table: Table) => string;
};

/**
 * Opens a new warehouse, which is deleted after the test: in the bucket if one is served, in a folder otherwise.
 * @param root of another place: opens a second warehouse there
 */
export async function openPlace(root?: string): Promise<Place> {
  const folder = root ?? (await mkdtemp(join(bucketFolder() ?? tmpdir(), 'incident-io-source-warehouse-')));
  const destination = destinationAt(folder);
  const store = await openStore(destination);
  const warehouse = await openWarehouse(store, { destination });
  onTestFinished(async () => {
    await warehouse.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { root: folder, destination, store, warehouse, folderOf: ({ name }) => join(folder, name) };
}

export async function stage(
  { warehouse }: Place,
  table: Table,
  chainId: string,
  records: readonly ApiRecord[],
  pass?: string,
): Promise<Part[]> {
  const writer = await warehouse.createPart(table, chainId);
  await writer.add(linesOf(table, records, pass));
  const part = await writer.finish();
  return part ? [part] : [];
}

let runs = 0;

export type RunOptions = Partial<Omit<CommitRequest, 'parts'>>;

/** Stages each batch as a part and commits the parts, by default planned on the table as it is now. */
export async function syncRun(
  place: Place,
  table: Table,
  batches: readonly (readonly ApiRecord[])[],
  options: RunOptions = {},
): Promise<CommitOutcome> {
  runs += 1;
  const chainId = options.chainId ?? `run-${runs}`;
  const plannedOn = options.plannedOn ?? (await place.warehouse.readState(table))?.counter ?? 'none';
  const parts: Part[] = [];
  for (const batch of batches) parts.push(...(await stage(place, table, chainId, batch)));
  const outcome = await place.warehouse.commit(table, {
    fullRead: plannedOn === 'none',
    state,
    ...options,
    chainId,
    parts,
    plannedOn,
  });
  await place.warehouse.discardStaged(table, chainId);
  return outcome;
}

/** The same for a run that must be committed. */
export async function committed(
  ...run: Parameters<typeof syncRun>
): Promise<Extract<CommitOutcome, { status: 'committed' }>> {
  const outcome = await syncRun(...run);
  if (outcome.status !== 'committed') throw new Error(`Not committed: ${JSON.stringify(outcome)}`);
  return outcome;
}

/**
 * The rows of a table, sorted by key, as DuckDB reads them: 64-bit integers as text, timestamps as
 * `YYYY-MM-DD hh:mm:ss[.ffffff]+00`.
 */
export async function readRows(
  { root }: Pick<Place, 'root'>,
  { name, primaryKey }: Pick<Table, 'name' | 'primaryKey'>,
): Promise<{ [column: string]: unknown }[]> {
  const store = await openStore(destinationAt(root));
  const { keys, sql } = await tableFiles(store, name);
  return store.withLocal(async (local) =>
    query(`FROM (${sql(await local.paths(keys))}) ORDER BY ${primaryKey.join(', ')}`),
  );
}

export async function query(sql: string): Promise<{ [column: string]: unknown }[]> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoload_known_extensions: 'false',
    threads: '1',
  });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Matches a `DestinationError` whose message contains a value. */
export function destinationErrorWith(value: string): object {
  return { name: 'DestinationError', message: expect.stringContaining(value) as string };
}
