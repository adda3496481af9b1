import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Action } from './actions.ts';
import type { Snapshot } from './log.ts';
import { type DuckDb, literal, parquetFiles } from '../duckdb.ts';
import { retentionOf } from './retention.ts';
import { type Store, writesFolder } from '../store/store.ts';

const map = 'MAP(VARCHAR, VARCHAR)';

/** The classic checkpoint's schema (Delta protocol, "Checkpoint Schema"). */
const columns = {
  txn: 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)',
  add: `STRUCT(path VARCHAR, partitionValues ${map}, size BIGINT, modificationTime BIGINT, dataChange BOOLEAN, stats VARCHAR, tags ${map})`,
  remove: `STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN, partitionValues ${map}, size BIGINT)`,
  metaData: `STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, options ${map}), schemaString VARCHAR, partitionColumns VARCHAR[], configuration ${map}, createdTime BIGINT)`,
  protocol: 'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER)',
};

/**
 * A removed file stays listed for longer than it has to be kept: whoever deletes it has to know of it, and need not
 * look at once.
 */
const graceMs = 2 * 86_400_000;

/**
 * The bytes of a checkpoint of this version, and the number of actions in it.
 * @param since when our last commit before it was, milliseconds since the epoch: behind that one, upkeep has looked for
 * files whose time was over, and so it will behind this one.
 */
export async function writeCheckpoint(
  store: Store,
  duckDb: DuckDb,
  { protocol, metadata, files, tombstones, txns }: Snapshot,
  since: number,
): Promise<{ bytes: Buffer; actions: number }> {
  const oldest = since - retentionOf(metadata) - graceMs;
  const actions: Action[] = [
    { protocol },
    { metaData: metadata },
    ...[...txns.values()].map((txn) => ({ txn })),
    ...[...files.values()].map((add) => ({ add: { ...add, dataChange: false } })),
    ...[...tombstones.values()]
      .filter(({ deletionTimestamp = 0 }) => deletionTimestamp > oldest)
      .map((remove) => ({ remove: { ...remove, dataChange: false } })),
  ];
  const lines = actions.map((action) => JSON.stringify(action));
  const longest = Math.max(...lines.map((line) => Buffer.byteLength(line)));
  const folder = await store.local.scratch(writesFolder);
  try {
    const source = join(folder, 'actions.json');
    const target = join(folder, 'checkpoint.parquet');
    await writeFile(source, lines.join('\n'));
    const types = Object.entries(columns).map(([name, type]) => `${name}: ${literal(type)}`);
    await duckDb.job((session) =>
      session.run(
        `COPY (FROM read_json(${literal(source)}, format = 'newline_delimited', hive_partitioning = false, columns = {${types.join(', ')}}, maximum_object_size = ${longest + 1024})) TO ${literal(target)} (FORMAT parquet, COMPRESSION zstd)`,
      ),
    );
    return { bytes: await readFile(target), actions: actions.length };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The actions of a checkpoint, ours or another writer's. */
export async function readCheckpoint(
  store: Store,
  duckDb: DuckDb,
  keys: readonly string[],
): Promise<Action[]> {
  const rows = await store.withLocal(async (local) => {
    const files = parquetFiles(await local.paths(keys));
    return duckDb.job((session) =>
      session.rows(`SELECT to_json(action)::VARCHAR AS json FROM ${files} AS action`),
    );
  });
  return rows.map(({ json }) => withoutNulls(JSON.parse(String(json)) as object));
}

/**
 * Parquet has every field of every action; what is not there reads as null. Not a reviver of `JSON.parse`: that takes
 * longer than all else that opens a table.
 */
function withoutNulls(value: object): object {
  const kept: { [name: string]: unknown } = {};
  for (const [name, part] of Object.entries(value) as [string, unknown][]) {
    if (part === null) continue;
    kept[name] = typeof part === 'object' && !Array.isArray(part) ? withoutNulls(part) : part;
  }
  return kept;
}
