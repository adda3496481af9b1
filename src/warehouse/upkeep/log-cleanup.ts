import { DestinationError, SourceError } from '../../errors.ts';
import type { Action } from '../delta/actions.ts';
import { type Checkpoint, newestCheckpoint, readCheckpoint } from '../delta/checkpoint.ts';
import type { DeltaLog } from '../delta/log.ts';
import type { Snapshot } from '../delta/snapshot.ts';
import { undisturbedSince } from '../delta/table-state.ts';
import type { StoredObject } from '../store/store.ts';
import type { World } from '../world.ts';

/** A file of a log that belongs to versions: a commit, a checkpoint, or a checksum of either. */
export type LogFile = StoredObject & {
  /** The last version that it belongs to. */
  readonly version: number;
};

/** The files of a table's log among objects, without those that belong to no version. */
export function logFilesAmong(table: string, objects: readonly StoredObject[]): LogFile[] {
  const prefix = `${table}/_delta_log/`;
  return objects.flatMap((object) => {
    if (!object.key.startsWith(prefix)) return [];
    const match = /^\.?(\d{20})\.(?:(\d{20})\.)?[^/]*$/.exec(object.key.slice(prefix.length));
    return match ? [{ ...object, version: Number(match[2] ?? match[1]) }] : [];
  });
}

/** The newest checkpoint older than a time: it and the commits after it give every version since that time. */
export function checkpointBefore(files: readonly LogFile[], time: number): Checkpoint | undefined {
  return newestCheckpoint(files.filter(({ writtenAt }) => writtenAt < time).map(({ key }) => key));
}

/** The log of a table, as a look at its folder found it. */
export type ListedLog = {
  readonly table: string;
  readonly snapshot: Snapshot;
  readonly files: readonly LogFile[];
};

/**
 * The log files that no version since a time needs: those before the newest checkpoint that is older than the time.
 * Throws `DestinationError` if that checkpoint cannot be relied on.
 */
export async function logFilesBefore(
  world: World,
  log: DeltaLog,
  { table, snapshot, files }: ListedLog,
  time: number,
): Promise<LogFile[]> {
  const checkpoint = checkpointBefore(files, time);
  const needless = files.filter(({ version }) => version < (checkpoint?.version ?? 0));
  if (checkpoint === undefined || needless.length === 0) return [];
  // Our last commit stays in the log: only it shows whether another writer has changed data since then.
  const ownVersion = await undisturbedSince(log, snapshot);
  if (ownVersion === undefined || ownVersion < checkpoint.version) return [];
  await assertHoldsTable(world, table, checkpoint);
  return needless.sort((a, b) => a.version - b.version);
}

async function assertHoldsTable(world: World, table: string, checkpoint: Checkpoint): Promise<void> {
  let actions: Action[] = [];
  let cause: unknown;
  try {
    actions = await readCheckpoint(world, checkpoint);
  } catch (error) {
    if (error instanceof SourceError) throw error;
    cause = error;
  }
  if (actions.some(({ protocol }) => protocol) && actions.some(({ metaData }) => metaData)) return;
  throw new DestinationError(
    `${table}: the checkpoint of version ${checkpoint.version} does not hold a table, so the log before it is kept.`,
    'Delete that checkpoint.',
    { cause },
  );
}
