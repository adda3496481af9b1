import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';

import { spanned } from '../../spans.ts';
import type { Table } from '../../tables/table.ts';
import { deleteUncommitted } from '../delta/data-file.ts';
import { type Action, type CommitInfo, type Metadata, removeOf } from '../delta/actions.ts';
import { DeltaLog, type Snapshot } from '../delta/log.ts';
import type { CommitWorld } from '../world.ts';
import { isUpkeepDue } from '../upkeep/due.ts';
import { type DuckDb, type DuckSession, identifier, parquetFiles } from '../duckdb.ts';
import { countRows, merge, type Merged, type StagedPart, statisticsIn } from './merge.ts';
import { stagedByDeclaration, stagingOf } from './part-writer.ts';
import { withRetention } from '../delta/retention.ts';
import { rawColumn, unknownColumn } from '../../records/rows.ts';
import { hasDeclaredColumns, targetSchema, type TargetSchema } from '../delta/schema.ts';
import { type LocalFiles, type Store, withinRoom } from '../store/store.ts';
import {
  assertWritableTable,
  committedAt,
  configurationOf,
  counterOf,
  differencesOf,
  isDisturbed,
  type StateToCommit,
  txnsOf,
  versionOfRun,
} from '../delta/table-state.ts';
import type { CommitOutcome, CommitRequest } from '../warehouse.ts';

const protocol = { minReaderVersion: 1, minWriterVersion: 2 };
/** A part that lies about for longer may be swept while it is read. */
const partLifeMs = 3 * 86_400_000;

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
    const now = world.now();
    // An attempt that was given up on may commit meanwhile, and sweep what this one reads.
    const settledMeanwhile = async () => settle(world, log, table, request, await log.snapshot());
    let made: MergedRun | CommitOutcome;
    try {
      made = await spanned('merge', { 'incident_io.parts': request.parts.length }, () =>
        mergeStaged(world, table, request, snapshot, now),
      );
    } catch (error) {
      const outcome = await settledMeanwhile();
      if (outcome) return outcome;
      throw error;
    }
    if ('status' in made) return (await settledMeanwhile()) ?? made;
    const { schema, merged } = made;
    const state = stateToCommit(request, snapshot, schema, merged);
    const metadata = metadataOf(table, request, state, schema, snapshot?.metadata, now);
    const actions: Action[] = [
      { commitInfo: commitInfoOf(request, snapshot, merged, now) },
      ...(snapshot ? [] : [{ protocol }]),
      ...(metadata ? [{ metaData: metadata }] : []),
      ...txnsOf(state, now).map((txn) => ({ txn })),
      ...merged.removed.map((add) => ({ remove: removeOf(add, now, true) })),
      ...merged.adds.map((add) => ({ add })),
    ];
    const version = (snapshot?.version ?? -1) + 1;
    const put = { 'incident_io.version': version };
    if (await spanned('put', put, () => log.commit(version, actions, snapshot, now))) {
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
        ...(snapshot && upkeepAfter(snapshot, merged, now)),
      };
    }
    await deleteUncommitted(store, log, table.name, merged.adds);
  }
}

/** What upkeep needs to know, where the commit leaves it something to do. */
function upkeepAfter(
  before: Snapshot,
  { adds, removed }: Merged,
  now: number,
): { upkeepSince: number } | undefined {
  const files = new Map(before.files);
  for (const { path } of removed) files.delete(path);
  for (const add of adds) files.set(add.path, add);
  const since = committedAt(before);
  return isUpkeepDue({ ...before, files }, since, now) ? { upkeepSince: since } : undefined;
}

/** What the log says before anything is merged; `undefined` where the run may commit on top of it. */
async function settle(
  { store, duckDb }: CommitWorld,
  log: DeltaLog,
  table: Table,
  { chainId, plannedOn, fullRead }: CommitRequest,
  snapshot: Snapshot | undefined,
): Promise<CommitOutcome | undefined> {
  const overtaken = (reason: string): CommitOutcome => ({ status: 'overtaken', reason });
  if (!snapshot) {
    return plannedOn === 'none' ? undefined : overtaken('the table is gone since the run was planned');
  }
  if (counterOf(snapshot) !== plannedOn) {
    const version = await versionOfRun(log, snapshot, chainId, plannedOn);
    if (version === undefined) return overtaken('another run committed since this one was planned');
    return { status: 'already_committed', version, rows: await rowsOf(store, duckDb, table, snapshot) };
  }
  // A full read replaces whatever the table holds, also what somebody did to it a moment ago.
  if (!fullRead && (await isDisturbed(log, snapshot))) {
    return overtaken('somebody else changed the table since the run was planned');
  }
  // Another version of this program planned the run, or somebody altered the table: rows it did not read lack columns.
  if (!fullRead && !hasDeclaredColumns(table, snapshot.metadata)) {
    return overtaken('the table has other columns than are declared');
  }
  return undefined;
}

/** The listed parts, or why they are not to be trusted. */
async function stagedParts(
  { store, now }: CommitWorld,
  table: Table,
  { chainId, parts }: CommitRequest,
): Promise<StagedPart[] | CommitOutcome> {
  const staging = stagingOf(table, chainId);
  const present = new Set((await store.list(staging)).map(({ key }) => key));
  const oldest = now() - partLifeMs;
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

type MergedRun = { readonly schema: TargetSchema; readonly merged: Merged };

/** The run's parts and the table as one, or why they cannot be. */
async function mergeStaged(
  world: CommitWorld,
  table: Table,
  request: CommitRequest,
  snapshot: Snapshot | undefined,
  now: number,
): Promise<MergedRun | CommitOutcome> {
  const parts = await stagedParts(world, table, request);
  return Array.isArray(parts) ? mergeParts(world, table, request, snapshot, parts, now) : parts;
}

async function mergeParts(
  { store, duckDb }: CommitWorld,
  table: Table,
  { chainId, fullRead }: CommitRequest,
  snapshot: Snapshot | undefined,
  parts: readonly StagedPart[],
  now: number,
): Promise<MergedRun> {
  const scratch = await store.local.scratch(stagingOf(table, chainId).slice(0, -1));
  const work = (local: LocalFiles) =>
    duckDb.job(async (session) => {
      const { unknown, raw } = await keysIn(session, local, parts);
      const schema = targetSchema(table, snapshot?.metadata, unknown, raw);
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
  { retentionMs }: CommitRequest,
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
    configuration: withRetention(configurationOf(table, state, before?.configuration ?? {}), retentionMs),
  };
  if (!before) return metadata;
  // Another writer may have put the keys of the schema's JSON in another order.
  const unchanged =
    isDeepStrictEqual(JSON.parse(before.schemaString), JSON.parse(metadata.schemaString)) &&
    isDeepStrictEqual({ ...before, schemaString: '' }, { ...metadata, schemaString: '' });
  return unchanged ? undefined : metadata;
}

function commitInfoOf(
  { chainId, fullRead, parts }: CommitRequest,
  snapshot: Snapshot | undefined,
  merged: Merged,
  now: number,
): CommitInfo {
  return {
    timestamp: now,
    operation: fullRead ? 'WRITE' : 'MERGE',
    operationParameters: { runId: chainId, mode: fullRead ? 'Overwrite' : 'Append' },
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
