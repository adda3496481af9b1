import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';
import { stringify } from 'lossless-json';
import { onTestFinished } from 'vitest';

import { type ApiRecord, type Column, defineTable, type Table } from '../../src/tables/table.ts';
import { folderStore } from '../../src/warehouse/folder-store.ts';
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts';
import { tableFiles } from '../../src/warehouse/query.ts';
import type { CommitOutcome, CommitRequest, Part, Warehouse } from '../../src/warehouse/warehouse.ts';

/** A table with a column of every type. */
export const things = thingsWith({});

export function thingsWith(columns: { readonly [name: string]: Column }): Table {
  return defineTable({
    name: 'things',
    description: 'One row is a thing.',
    path: '/v1/things',
    records: 'things',
    scope: 'things.view',
    paging: { kind: 'pages', pageSize: 250 },
    filters: { updated_at: { granularity: 'millisecond', verified: true } },
    methods: ['incremental', 'full_refresh'],
    incrementalFields: ['updated_at'],
    primaryKey: ['id'],
    columns: {
      id: { type: 'text', description: 'Id of the thing.' },
      name: { type: 'text', description: 'Its name.' },
      owner_id: { type: 'text', description: 'Who owns it.', from: ['owner', 'id'] },
      owner: { type: 'json', description: 'Who owns it, whole.' },
      tags: { type: 'json', description: 'Its tags.' },
      rank: { type: 'bigint', description: 'Its rank.' },
      minutes: { type: 'double', description: 'Its minutes.' },
      active: { type: 'boolean', description: 'Whether it is active.' },
      updated_at: { type: 'timestamp', description: 'When it last changed.' },
      ...columns,
    },
  });
}

export type Place = {
  readonly root: string;
  readonly warehouse: Warehouse;
  readonly folderOf: (table: Table) => string;
};

/** A warehouse in a folder of its own, gone after the test. With `root` another one in the same folder. */
export async function openPlace(root?: string): Promise<Place> {
  const folder = root ?? (await mkdtemp(join(tmpdir(), 'incident-io-source-warehouse-')));
  const warehouse = await openWarehouse(folderStore(folder), { destination: folder });
  onTestFinished(async () => {
    await warehouse.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { root: folder, warehouse, folderOf: ({ name }) => join(folder, name) };
}

export const state: CommitRequest['state'] = {
  watermark: 1_700_000_000_000,
  account: 'https://app.incident.example/acme',
  incrementalField: 'updated_at',
  filters: '[]',
  visibility: '{"roles":[],"teams":[]}',
};

/** The text of an answer that holds these records. */
export function answerOf(table: Table, records: readonly unknown[]): Buffer {
  return Buffer.from(stringify({ [table.records]: records })!);
}

export async function stage(
  { warehouse }: Place,
  table: Table,
  runId: string,
  records: readonly ApiRecord[],
  pass?: string,
): Promise<Part[]> {
  const writer = await warehouse.createPart(table, runId);
  await writer.add(answerOf(table, records), pass);
  const part = await writer.finish();
  return part ? [part] : [];
}

let runs = 0;

export type RunOptions = Partial<Omit<CommitRequest, 'parts'>>;

/** Stages each batch as a part and commits them, planned on what the table has now. */
export async function syncRun(
  place: Place,
  table: Table,
  batches: readonly (readonly ApiRecord[])[],
  options: RunOptions = {},
): Promise<CommitOutcome> {
  runs += 1;
  const runId = options.runId ?? `run-${runs}`;
  const plannedOn = options.plannedOn ?? (await place.warehouse.readState(table))?.counter ?? 'none';
  const parts: Part[] = [];
  for (const batch of batches) parts.push(...(await stage(place, table, runId, batch)));
  const outcome = await place.warehouse.commit(table, {
    fullRead: plannedOn === 'none',
    state,
    ...options,
    runId,
    parts,
    plannedOn,
  });
  await place.warehouse.discardStaged(table, runId);
  return outcome;
}

/** The same, where anything but a commit is a failure. */
export async function committed(
  ...run: Parameters<typeof syncRun>
): Promise<Extract<CommitOutcome, { status: 'committed' }>> {
  const outcome = await syncRun(...run);
  if (outcome.status !== 'committed') throw new Error(`Not committed: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** The table's rows by key as DuckDB reads them: 64-bit integers as text, timestamps as `YYYY-MM-DD hh:mm:ss[.ffffff]+00`. */
export async function readRows(
  { root }: Pick<Place, 'root'>,
  table: Pick<Table, 'name'>,
): Promise<{ [column: string]: unknown }[]> {
  const { sql } = await tableFiles(folderStore(root), table.name);
  return query(`FROM (${sql}) ORDER BY id`);
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
