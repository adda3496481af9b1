import { rm } from 'node:fs/promises';

import type { TableShape } from '../../tables/table.ts';
import type { Add } from '../delta/actions.ts';
import { rowCount } from '../delta/row-count.ts';
import type { Snapshot } from '../delta/snapshot.ts';
import { dayMs } from '../delta/table-clock.ts';
import { type StagedExtras, targetSchema, type TargetSchema, unknownKeysOf } from '../delta/target-schema.ts';
import { type DuckSession, identifier, literal, parquetFiles } from '../duckdb.ts';
import { rawColumn } from '../../records/rows.ts';
import { mostUnknownColumns, unknownColumn } from '../../records/unknown-fields.ts';
import { type LocalFiles, withinRoom } from '../store/store.ts';
import type { CommitRequest } from '../warehouse.ts';
import type { Part } from '../part.ts';
import type { World } from '../world.ts';
import { keyOf } from './key.ts';
import { statisticsName } from './lines-writer.ts';
import { merge } from './merge.ts';
import type { Merged, StagedPart } from './merge-request.ts';
import { keysStagedByDeclaration } from './parent-keys.ts';
import { isReplaced, isWanted } from './replaced.ts';
import { stagedByDeclaration, stagingOf } from './part-writer.ts';

/** Upkeep deletes staging that is untouched for seven days, so a commit must not begin to read older parts. */
const partLifeMs = 3 * dayMs;

/** A change of this many rows is merged next to heavy work, so that it need not wait for it. */
const lightRows = 10_000;

/** With little memory this many rows of a data file are compared at a time: some 10 MB of incidents. */
const crampedRows = 4_000;

/** Why the run's parts cannot be merged; `undefined` if they can. */
export async function whyPartsAreUnusable(
  { store, now }: World,
  table: TableShape,
  { chainId, parts, replaces }: CommitRequest,
): Promise<string | undefined> {
  const parents = replaces && 'alive' in replaces ? replaces : undefined;
  const staging = stagingOf(table, chainId);
  const present = new Set((await store.list(staging)).map(({ key }) => key));
  const oldest = now() - partLifeMs;
  const isOfTable = (part: Part) => stagedByDeclaration(table, part);
  const isOfParents = (part: Part) =>
    parents !== undefined && keysStagedByDeclaration(table, parents.by, part);
  for (const { part, isUsable } of [
    ...parts.map((part) => ({ part, isUsable: isOfTable })),
    ...(parents?.read ?? []).map((part) => ({ part, isUsable: isOfParents })),
  ]) {
    const why = !filesOf(part).every((name) => present.has(staging + name))
      ? 'is missing'
      : part.stagedAt < oldest
        ? 'is older than three days'
        : !isUsable(part)
          ? 'was staged with other columns'
          : undefined;
    if (why !== undefined) return `the staged part ${part.name} ${why}`;
  }
  return undefined;
}

function filesOf({ name, isDataFile }: Part): string[] {
  return isDataFile ? [name, statisticsName(name)] : [name];
}

/** Merges a run's parts into the table and writes the data files. No reader sees them before the commit. */
export async function mergeRun(
  { store, duckDb }: World,
  table: TableShape,
  request: CommitRequest,
  {
    before,
    now,
    parents,
  }: {
    readonly before: Snapshot | undefined;
    readonly now: number;
    /** The data files of the parent's table that the commit compares with. */
    readonly parents: readonly Add[];
  },
): Promise<{ readonly schema: TargetSchema; readonly result: Merged }> {
  const { chainId, fullRead } = request;
  const staging = stagingOf(table, chainId);
  const parts = request.parts.map((part) => ({ ...part, key: staging + part.name }));
  const live = [...(before?.files.values() ?? [])];
  const rowsBefore = await rowCount({ store, duckDb }, table.name, live);
  const scratch = await store.local.scratch(staging.slice(0, -1));
  const staged = parts.reduce((sum, { rows }) => sum + rows, 0);
  const weight = !fullRead && staged <= lightRows ? 'light' : 'heavy';
  const mergeIn = (files: LocalFiles) => async (session: DuckSession) => {
    // Parts are then read one after the other.
    const local = session.isCramped ? { ...files, room: 1 } : files;
    const known = before ? unknownKeysOf(before.metadata) : [];
    const schema = targetSchema(table, before?.metadata, await extrasIn(session, local, parts, known));
    const result = await merge({
      session,
      store,
      local,
      table: table.name,
      key: keyOf(table),
      files: live,
      rowsBefore,
      parts,
      columns: schema.columns,
      fullRead,
      isReplaced: await isReplaced({ session, local, table, request, parents }),
      isWanted: isWanted(request),
      asOneReading: request.replaces !== undefined && 'alive' in request.replaces,
      rewrite: schema.rewrite,
      byUpdatedAt: table.columns['updated_at']?.type === 'timestamp',
      now,
      scratch,
      ...(session.isCramped && { rowsAtOnce: crampedRows }),
    });
    return { schema, result };
  };
  try {
    return await store.withLocal((local) => duckDb.job(mergeIn(local), { weight, repeatable: true }));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * The keys of the two map columns of parts. For unknown fields, only those without a column, and only enough of them to
 * decide what the table gets: there may be as many names as rows.
 */
async function extrasIn(
  session: DuckSession,
  local: LocalFiles,
  parts: readonly StagedPart[],
  known: readonly string[],
): Promise<StagedExtras> {
  const unknown = new Set<string>();
  const raw = new Set<string>();
  const withExtras = parts.filter(({ isDataFile }) => !isDataFile);
  for (const group of withinRoom(withExtras, local.room)) {
    const files = parquetFiles(await local.paths(group.map(({ key }) => key)));
    for (const [column, found] of [
      [unknownColumn, unknown],
      [rawColumn, raw],
    ] as const) {
      const keys = await session.rows(`
        SELECT DISTINCT key
        FROM (SELECT unnest(map_keys(${identifier(column)})) AS key FROM ${files})
        WHERE NOT list_contains([${known.map(literal).join(', ')}]::VARCHAR[], key)
        ORDER BY key
        LIMIT ${mostUnknownColumns + 1}`);
      for (const { key } of keys) found.add(String(key));
    }
  }
  return { unknown: [...unknown], raw: [...raw] };
}
