import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';

import type { Table } from '../tables/table.ts';
import type { Action, Add, CommitInfo, Metadata } from './delta-actions.ts';
import { dataKey, DeltaLog, type Snapshot } from './delta-log.ts';
import { type DuckDb, type DuckSession, identifier, parquetFiles } from './duckdb.ts';
import { countRows, merge, type Merged, type StagedPart, statisticsIn } from './merge.ts';
import { stagedByDeclaration, stagingOf } from './part-writer.ts';
import { rawColumn, unknownColumn } from './rows.ts';
import { targetSchema, type TargetSchema } from './schema.ts';
import { type LocalFiles, type Store, withinRoom } from './store.ts';
import {
  assertWritableTable,
  configurationOf,
  counterOf,
  differencesOf,
  isDisturbed,
  type StateToCommit,
  txnsOf,
  versionOfRun,
} from './table-state.ts';
import type { CommitOutcome, CommitRequest } from './warehouse.ts';

const protocol = { minReaderVersion: 1, minWriterVersion: 2 };
/** A part that lies about for longer may be swept while it is read. */
const partLifeMs = 3 * 86_400_000;

export type CommitWorld = { readonly store: Store; readonly duckDb: DuckDb; readonly destination: string };

/**
 * Makes a run visible: one version with its rows and its state. Where another version gets in first, what it was
 * decides whether the merge is repeated on top of it or the run has been overtaken.
 */
export async function commitRun(
  world: CommitWorld,
  table: Table,
  request: CommitRequest,
): Promise<CommitOutcome> {
  const { store, duckDb, destination } = world;
  const log = new DeltaLog(store, duckDb, table.name);
  for (;;) {
    const snapshot = await log.snapshot();
    if (snapshot) assertWritableTable(table.name, destination, snapshot);
    const settled = await settle(world, log, table, request, snapshot);
    if (settled) return settled;
    const parts = await stagedParts(store, table, request);
    if (!Array.isArray(parts)) return parts;

    const now = Date.now();
    const { schema, merged } = await mergeParts(world, table, request, snapshot, parts, now);
    const state = stateToCommit(request, snapshot, schema, merged);
    const metadata = metadataOf(table, state, schema, snapshot?.metadata, now);
    const actions: Action[] = [
      { commitInfo: commitInfoOf(request, snapshot, merged, now) },
      ...(snapshot ? [] : [{ protocol }]),
      ...(metadata ? [{ metaData: metadata }] : []),
      ...txnsOf(state, now).map((txn) => ({ txn })),
      ...merged.removed.map(({ path, size, partitionValues }) => ({
        remove: {
          path,
          deletionTimestamp: now,
          dataChange: true,
          extendedFileMetadata: true,
          partitionValues,
          size,
        },
      })),
      ...merged.adds.map((add) => ({ add })),
    ];
    const version = (snapshot?.version ?? -1) + 1;
    if (await log.commit(version, actions, snapshot)) {
      return {
        status: 'committed',
        version,
        counter: state.counter,
        rows: merged.rows,
        rowsBefore: merged.rowsBefore,
        inserted: merged.inserted,
        updated: merged.updated,
        dropped: merged.dropped,
        bytesWritten: merged.adds.reduce((sum, { size }) => sum + size, 0),
        columnsAdded: schema.added,
        ...(state.watermark !== undefined && { watermark: state.watermark }),
        differences: state.differences,
      };
    }
    await deleteUncommitted(store, log, table, merged.adds);
  }
}

/** What the log says before anything is merged; `undefined` where the run may commit on top of it. */
async function settle(
  { store, duckDb }: CommitWorld,
  log: DeltaLog,
  table: Table,
  { runId, plannedOn, fullRead }: CommitRequest,
  snapshot: Snapshot | undefined,
): Promise<CommitOutcome | undefined> {
  const overtaken = (reason: string): CommitOutcome => ({ status: 'overtaken', reason });
  if (!snapshot) {
    return plannedOn === 'none' ? undefined : overtaken('the table is gone since the run was planned');
  }
  if (counterOf(snapshot) !== plannedOn) {
    const version = await versionOfRun(log, snapshot, runId, plannedOn);
    if (version === undefined) return overtaken('another run committed since this one was planned');
    return { status: 'already_committed', version, rows: await rowsOf(store, duckDb, table, snapshot) };
  }
  // A full read replaces whatever the table holds, also what somebody did to it a moment ago.
  if (!fullRead && (await isDisturbed(log, snapshot))) {
    return overtaken('somebody else changed the table since the run was planned');
  }
  return undefined;
}

/** The listed parts, or why they are not to be trusted. */
async function stagedParts(
  store: Store,
  table: Table,
  { runId, parts }: CommitRequest,
): Promise<StagedPart[] | CommitOutcome> {
  const staging = stagingOf(table, runId);
  const present = new Set((await store.list(staging)).map(({ key }) => key));
  const oldest = Date.now() - partLifeMs;
  for (const part of parts) {
    const key = staging + part.name;
    const why = !present.has(key)
      ? 'is missing'
      : part.stagedAt < oldest
        ? 'is older than three days'
        : stagedByDeclaration(table, part)
          ? undefined
          : 'was staged with other columns';
    if (why !== undefined) return { status: 'overtaken', reason: `the staged part ${part.name} ${why}` };
  }
  return parts.map(({ name, rows, bytes }) => ({ key: staging + name, rows, bytes }));
}

async function mergeParts(
  { store, duckDb }: CommitWorld,
  table: Table,
  { runId, fullRead }: CommitRequest,
  snapshot: Snapshot | undefined,
  parts: readonly StagedPart[],
  now: number,
): Promise<{ schema: TargetSchema; merged: Merged }> {
  const scratch = await store.local.scratch(stagingOf(table, runId).slice(0, -1));
  const work = (local: LocalFiles) =>
    duckDb.job(async (session) => {
      const { unknown, raw } = await keysIn(session, local, parts);
      const schema = targetSchema(table, snapshot?.metadata, unknown, raw);
      if (schema.rewrite && !fullRead) {
        throw new Error(`${table.name}: an incremental run cannot change the types of the table's columns.`);
      }
      const merged = await merge(session, store, local, {
        table: table.name,
        files: [...(snapshot?.files.values() ?? [])],
        parts,
        columns: schema.columns,
        fullRead,
        rewrite: schema.rewrite,
        byUpdatedAt: table.columns['updated_at']?.type === 'timestamp',
        now,
        scratch,
      });
      return { schema, merged };
    });
  try {
    return await store.withLocal(work);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The keys of the two map columns in any row of the parts. */
async function keysIn(
  session: DuckSession,
  local: LocalFiles,
  parts: readonly StagedPart[],
): Promise<{ unknown: string[]; raw: string[] }> {
  const unknown = new Set<string>();
  const raw = new Set<string>();
  for (const group of withinRoom(parts, local.room)) {
    const files = parquetFiles(await local.paths(group.map(({ key }) => key)));
    for (const [column, found] of [
      [unknownColumn, unknown],
      [rawColumn, raw],
    ] as const) {
      const keys = await session.rows(
        `SELECT DISTINCT unnest(map_keys(${identifier(column)})) AS key FROM ${files}`,
      );
      for (const { key } of keys) found.add(String(key));
    }
  }
  return { unknown: [...unknown], raw: [...raw] };
}

function stateToCommit(
  { state, total, fullRead }: CommitRequest,
  snapshot: Snapshot | undefined,
  { addedForUnknown }: TargetSchema,
  { rows }: Merged,
): StateToCommit {
  const before = snapshot ? differencesOf(snapshot) : 0;
  const { watermark, ...rest } = state;
  return {
    ...rest,
    // Rows that did not change lack the new field's value: the next run has to read them.
    ...(watermark !== undefined && (fullRead || !addedForUnknown) && { watermark }),
    counter: (snapshot ? counterOf(snapshot) : 0) + 1,
    differences: total === undefined ? before : total === rows ? 0 : before + 1,
  };
}

/** The table's metadata, where it differs from what the log has. */
function metadataOf(
  table: Table,
  state: StateToCommit,
  { columns }: TargetSchema,
  before: Metadata | undefined,
  now: number,
): Metadata | undefined {
  const fields = columns.map(({ field }) => field);
  const metadata: Metadata = {
    ...(before ?? {
      id: randomUUID(),
      format: { provider: 'parquet', options: {} },
      partitionColumns: [],
      createdTime: now,
    }),
    name: table.name,
    description: table.description,
    schemaString: JSON.stringify({ type: 'struct', fields }),
    configuration: configurationOf(table, state, before?.configuration ?? {}),
  };
  if (!before) return metadata;
  // Another writer may have put the keys of the schema's JSON in another order.
  const unchanged =
    isDeepStrictEqual(JSON.parse(before.schemaString), JSON.parse(metadata.schemaString)) &&
    isDeepStrictEqual({ ...before, schemaString: '' }, { ...metadata, schemaString: '' });
  return unchanged ? undefined : metadata;
}

function commitInfoOf(
  { runId, fullRead, parts }: CommitRequest,
  snapshot: Snapshot | undefined,
  merged: Merged,
  now: number,
): CommitInfo {
  return {
    timestamp: now,
    operation: fullRead ? 'WRITE' : 'MERGE',
    operationParameters: { runId, mode: fullRead ? 'Overwrite' : 'Append' },
    operationMetrics: {
      numParts: String(parts.length),
      numRows: String(merged.rows),
      numRowsInserted: String(merged.inserted),
      numRowsUpdated: String(merged.updated),
      numRowsDropped: String(merged.dropped),
      numFilesAdded: String(merged.adds.length),
      numFilesRemoved: String(merged.removed.length),
    },
    ...(snapshot && { readVersion: snapshot.version }),
    isolationLevel: 'Serializable',
    isBlindAppend: false,
    engineInfo: 'incident-io-source',
  };
}

/**
 * Deletes the files of a version that somebody else has taken. A store may say that it was taken though it was
 * this very commit that took it, and its answer was lost: then the log knows the files, and they stay.
 */
async function deleteUncommitted(
  store: Store,
  log: DeltaLog,
  table: Table,
  adds: readonly Add[],
): Promise<void> {
  const snapshot = await log.snapshot();
  const known = ({ path }: Add) => snapshot?.files.has(path) || snapshot?.tombstones.has(path);
  await store.delete(adds.filter((add) => !known(add)).map((add) => dataKey(table.name, add)));
}

/** Rows of the table at a version. */
export async function rowsOf(
  store: Store,
  duckDb: DuckDb,
  table: Pick<Table, 'name'>,
  { files }: Snapshot,
): Promise<number> {
  const adds = [...files.values()];
  const counted = adds.map((add) => statisticsIn(add).numRecords ?? Number.NaN);
  const rows = counted.reduce((sum, count) => sum + count, 0);
  if (!Number.isNaN(rows)) return rows;
  return store.withLocal((local) => duckDb.job((session) => countRows(session, local, table.name, adds)));
}
