import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Action } from './actions.ts';
import { literal, parquetFiles } from '../duckdb.ts';
import { retentionOf } from './retention.ts';
import { actionsFor, type Snapshot } from './snapshot.ts';
import { writesFolder } from '../store/store.ts';
import { dayMs } from './table-clock.ts';
import type { World } from '../world.ts';

const map = 'MAP(VARCHAR, VARCHAR)';

/** The Parquet files of one checkpoint. */
export type Checkpoint = { readonly version: number; readonly keys: readonly string[] };

/** The newest checkpoint whose files are all among these keys of a log; `undefined` if there is none. */
export function newestCheckpoint(keys: readonly string[]): Checkpoint | undefined {
  const found = new Map<string, { version: number; of: number; keys: string[] }>();
  for (const key of keys) {
    const part = /\/(\d{20})\.checkpoint(?:\.\d{10}\.(\d{10}))?\.parquet$/.exec(key);
    if (!part) continue;
    // The same version may have one checkpoint in a single file and another one in several.
    const set = `${part[1]}/${part[2] ?? '1'}`;
    const known = found.get(set) ?? { version: Number(part[1]), of: Number(part[2] ?? 1), keys: [] };
    known.keys.push(key);
    found.set(set, known);
  }
  const complete = [...found.values()].filter(({ of, keys }) => keys.length === of);
  return complete.sort((a, b) => b.version - a.version)[0];
}

/** The schema of a classic checkpoint (Delta protocol, "Checkpoint Schema"). */
const columns = {
  txn: 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)',
  add: `STRUCT(path VARCHAR, partitionValues ${map}, size BIGINT, modificationTime BIGINT, dataChange BOOLEAN, stats VARCHAR, tags ${map})`,
  remove: `STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN, partitionValues ${map}, size BIGINT)`,
  metaData: `STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, options ${map}), schemaString VARCHAR, partitionColumns VARCHAR[], configuration ${map}, createdTime BIGINT)`,
  protocol: 'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER)',
};

/**
 * A checkpoint lists a removed file for longer than the file itself stays: upkeep finds the file to delete by this
 * entry, and may be late.
 */
const graceMs = 2 * dayMs;

/**
 * Returns the bytes of a checkpoint of this version, and the number of actions in it.
 * @param since when the caller's previous commit was (ms). Upkeep ran after it, so tombstones that expired earlier are
 * already handled.
 */
export async function writeCheckpoint(
  { store, duckDb }: Pick<World, 'store' | 'duckDb'>,
  snapshot: Snapshot,
  since: number,
): Promise<{ bytes: Buffer; actions: number }> {
  const oldest = since - retentionOf(snapshot.metadata) - graceMs;
  const actions = actionsFor(snapshot)
    .filter(({ remove }) => !remove || (remove.deletionTimestamp ?? 0) > oldest)
    .map(({ add, remove, ...others }): Action => {
      if (add) return { add: { ...add, dataChange: false } };
      return remove ? { remove: { ...remove, dataChange: false } } : others;
    });
  const lines = actions.map((action) => JSON.stringify(action));
  const longest = Math.max(...lines.map((line) => Buffer.byteLength(line)));
  const folder = await store.local.scratch(writesFolder);
  try {
    const source = join(folder, 'actions.json');
    const target = join(folder, 'checkpoint.parquet');
    await writeFile(source, lines.join('\n'));
    const types = Object.entries(columns).map(([name, type]) => `${name}: ${literal(type)}`);
    const sql = `
      COPY (
        FROM read_json(${literal(source)}, format = 'newline_delimited', hive_partitioning = false,
          columns = {${types.join(', ')}}, maximum_object_size = ${longest + 1024})
      ) TO ${literal(target)} (FORMAT parquet, COMPRESSION zstd)`;
    await duckDb.job((session) => session.run(sql), { weight: 'light', repeatable: true });
    return { bytes: await readFile(target), actions: actions.length };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns the actions of a checkpoint, ours or another writer's. */
export async function readCheckpoint(
  { store, duckDb }: Pick<World, 'store' | 'duckDb'>,
  { keys }: Checkpoint,
): Promise<Action[]> {
  const rows = await store.withLocal(async (local) => {
    const files = parquetFiles(await local.paths(keys));
    const sql = `SELECT to_json(action)::VARCHAR AS json FROM ${files} AS action`;
    return duckDb.job((session) => session.rows(sql), { weight: 'light', repeatable: true });
  });
  return rows.map(({ json }) => withoutNulls(JSON.parse(String(json)) as object));
}

/**
 * In Parquet every row has the fields of every action, and those that do not apply are null. This is not a reviver of
 * `JSON.parse`, because that takes longer than everything else it takes to open a table.
 */
function withoutNulls(value: object): object {
  const kept: { [name: string]: unknown } = {};
  for (const [name, part] of Object.entries(value) as [string, unknown][]) {
    if (part === null) continue;
    kept[name] = typeof part === 'object' && !Array.isArray(part) ? withoutNulls(part) : part;
  }
  return kept;
}
