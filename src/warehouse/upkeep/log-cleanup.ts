import { DestinationError, SourceError } from '../../errors.ts';
import { readCheckpoint } from '../delta/checkpoint.ts';
import type { CommitWorld } from '../world.ts';
import type { Action } from '../delta/actions.ts';
import { type Checkpoint, type DeltaLog, newestCheckpoint, type Snapshot } from '../delta/log.ts';
import type { StoredObject } from '../store/store.ts';
import { undisturbedSince } from '../delta/table-state.ts';

/** A file of a log that is about versions: a commit, a checkpoint, a checksum of either. */
export type LogFile = StoredObject & {
  /** The last one it is about. */
  readonly version: number;
};

/** The files of a table's log among objects; not those that are about no version. */
export function logFilesAmong(table: string, objects: readonly StoredObject[]): LogFile[] {
  const prefix = `${table}/_delta_log/`;
  return objects.flatMap((object) => {
    if (!object.key.startsWith(prefix)) return [];
    const match = /^\.?(\d{20})\.(?:(\d{20})\.)?[^/]*$/.exec(object.key.slice(prefix.length));
    return match ? [{ ...object, version: Number(match[2] ?? match[1]) }] : [];
  });
}

/** Every version that was there since a time can be made from this checkpoint and the commits behind it. */
export function checkpointBefore(files: readonly LogFile[], time: number): Checkpoint | undefined {
  return newestCheckpoint(files.filter(({ writtenAt }) => writtenAt < time).map(({ key }) => key));
}

/**
 * The files of a log that no version needs which was there since a time: those before the newest checkpoint that is
 * older. Throws `DestinationError` where that one cannot be relied on.
 */
export async function logFilesBefore(
  world: CommitWorld,
  log: DeltaLog,
  table: string,
  snapshot: Snapshot,
  files: readonly LogFile[],
  time: number,
): Promise<LogFile[]> {
  const checkpoint = checkpointBefore(files, time);
  const needless = files.filter(({ version }) => version < (checkpoint?.version ?? 0));
  if (checkpoint === undefined || needless.length === 0) return [];
  // Without our last commit nobody could say whether another writer changed data since.
  const own = await undisturbedSince(log, snapshot);
  if (own === undefined || own < checkpoint.version) return [];
  await assertHoldsTable(world, table, checkpoint);
  return needless.sort((a, b) => a.version - b.version);
}

async function assertHoldsTable(
  { store, duckDb }: CommitWorld,
  table: string,
  { version, keys }: Checkpoint,
): Promise<void> {
  let actions: Action[] = [];
  let cause: unknown;
  try {
    actions = await readCheckpoint(store, duckDb, keys);
  } catch (error) {
    if (error instanceof SourceError) throw error;
    cause = error;
  }
  if (actions.some(({ protocol }) => protocol) && actions.some(({ metaData }) => metaData)) return;
  throw new DestinationError(
    `${table}: the checkpoint of version ${version} holds no table, so the log before it is kept.`,
    'Delete that checkpoint.',
    { cause },
  );
}
