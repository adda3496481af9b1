import { DestinationError } from '../../errors.ts';
import type { TableShape } from '../../tables/table.ts';
import { dataKey, DeltaLog } from '../delta/log.ts';
import { retentionOf, retentionProperty } from '../delta/retention.ts';
import type { Snapshot } from '../delta/snapshot.ts';
import { dayMs, hourMs, isFirstOfDay } from '../delta/table-clock.ts';
import { assertWritableTable } from '../delta/table-state.ts';
import { sideBySide } from '../side-by-side.ts';
import type { StoredObject } from '../store/store.ts';
import type { Upkeep } from '../warehouse.ts';
import type { World } from '../world.ts';
import { compact, filesToCompact } from './compaction.ts';
import { checkpointBefore, type LogFile, logFilesAmong, logFilesBefore } from './log-cleanup.ts';
import { sweepStaged } from './staging.ts';
import { expiredFiles } from './what-is-due.ts';

/** No step starts later than this, so that the last one has the rest of the minute. */
const lastStartMs = 35_000;
/** Untouched for this long means abandoned: no live run is silent for seven days. */
const abandonedMs = 7 * dayMs;
/** Upkeep may start this long after its commit, and the clocks of worker and store may differ. */
const clockToleranceMs = hourMs;
/** How many keys are deleted in one step. */
const keysAtOnce = 100;

/** See `Warehouse.keepUp`. */
export async function keepUp(
  world: World,
  table: TableShape,
  since: number,
  signal: AbortSignal,
): Promise<Upkeep> {
  const log = new DeltaLog(world, table.name);
  const snapshot = await log.snapshot();
  const work = new UpkeepWork({ world, log, table, since, signal });
  if (snapshot) {
    assertWritableTable(table.name, world.destination, snapshot);
    await work.removeExpired(snapshot);
    // The folder is listed once a day only, because that takes many requests for a large table.
    if (isFirstOfDay(snapshot.metadata, since, work.now)) await work.removeListed(snapshot);
    await work.compactFiles(snapshot);
  }
  return work.result();
}

type UpkeepInput = {
  readonly world: World;
  readonly log: DeltaLog;
  readonly table: TableShape;
  readonly since: number;
  readonly signal: AbortSignal;
};

/** The steps of one upkeep, and what they have done so far. A step that fails does not stop the others. */
class UpkeepWork {
  readonly now: number;
  readonly #world: World;
  readonly #log: DeltaLog;
  readonly #table: TableShape;
  readonly #since: number;
  readonly #signal: AbortSignal;
  readonly #ends = performance.now() + lastStartMs;
  readonly #failures: unknown[] = [];
  #filesCompacted = 0;
  #filesRemoved = 0;
  #logRemoved = 0;
  #stagingSwept = 0;

  constructor({ world, log, table, since, signal }: UpkeepInput) {
    this.now = world.now();
    this.#world = world;
    this.#log = log;
    this.#table = table;
    this.#since = since;
    this.#signal = signal;
  }

  result(): Upkeep {
    this.#signal.throwIfAborted();
    // Further failures most likely have the same cause.
    if (this.#failures.length > 0) throw this.#failures[0];
    return {
      filesCompacted: this.#filesCompacted,
      filesRemoved: this.#filesRemoved,
      logRemoved: this.#logRemoved,
      stagingSwept: this.#stagingSwept,
    };
  }

  /** Deletes the files whose retention has just ended, which the log names. */
  async removeExpired(snapshot: Snapshot): Promise<void> {
    await this.#try(async () => {
      const { name } = this.#table;
      const live = keysOf(name, snapshot.files.values());
      const expired = expiredFiles(snapshot, { since: this.#since, now: this.now });
      const keys = [...keysOf(name, expired)];
      await this.#removeFiles(keys.filter((key) => !live.has(key) && isDataFile(name, key)));
    });
  }

  /** Deletes files that only a listing of the folder finds: earlier upkeep missed them, or no commit names them. */
  async removeListed(snapshot: Snapshot): Promise<void> {
    await this.#try(async () => {
      const { store } = this.#world;
      const { name } = this.#table;
      const retention = readableRetention(name, snapshot);
      const objects = await store.list(`${name}/`);
      const files = logFilesAmong(name, objects);
      const now = this.#plausibleNow(files);
      const oldest = now - retention;
      await this.#try(async () => {
        const unused = unusedFiles(name, snapshot, objects, {
          abandoned: now - abandonedMs,
          expired: oldest,
        });
        const named = unused.abandoned.length === 0 ? new Set() : await this.#namedSince(files, oldest);
        await this.#removeFiles([...unused.expired, ...unused.abandoned.filter((key) => !named.has(key))]);
      });
      await this.#try(async () => {
        const log = { table: name, snapshot, files };
        const old = await logFilesBefore(this.#world, this.#log, log, oldest);
        this.#logRemoved += await this.#remove(old.map(({ key }) => key));
      });
      await this.#try(async () => {
        this.#stagingSwept += await sweepStaged(store, name, now - abandonedMs);
      });
    });
  }

  /**
   * The current time, capped at one hour past the newest log file, which the store's own clock has dated: a worker
   * whose clock is days ahead must not delete files that another one is still committing.
   */
  #plausibleNow(files: readonly LogFile[]): number {
    return Math.min(this.now, Math.max(...files.map(({ writtenAt }) => writtenAt)) + clockToleranceMs);
  }

  /**
   * Files that a version since a time removed, although the snapshot does not say so: another writer's checkpoint may
   * forget tombstones too early. Versions whose log is gone cannot be read anyway.
   */
  async #namedSince(files: readonly LogFile[], oldest: number): Promise<Set<string>> {
    const { name } = this.#table;
    const from = checkpointBefore(files, oldest)?.version ?? 0;
    const commits = files.filter(({ key, version }) => version >= from && key.endsWith(`${version}.json`));
    const named = await sideBySide(commits, async ({ version }) => {
      const actions = (await this.#log.actionsOf(version)) ?? [];
      return actions.flatMap(({ remove }) => (remove ? [dataKey(name, remove)] : []));
    });
    return new Set(named.flat());
  }

  /** Makes large files of small ones, in one version for each. */
  async compactFiles(snapshot: Snapshot): Promise<void> {
    await this.#try(async () => {
      for (let before: Snapshot | undefined = snapshot; before; before = await this.#log.snapshot()) {
        const inputs = filesToCompact(this.#table, before.files.values());
        if (!inputs || this.#isOver()) return;
        // If compaction gave way, another commit is at work: the next upkeep compacts.
        const compaction = { table: this.#table.name, before, inputs };
        if (!(await compact(this.#world, this.#log, compaction))) return;
        this.#filesCompacted += inputs.length;
      }
    });
  }

  async #removeFiles(keys: readonly string[]): Promise<void> {
    this.#filesRemoved += await this.#remove(keys);
  }

  /** Returns how many were deleted before the time was up. A key that cannot be deleted does not stop the others. */
  async #remove(keys: readonly string[]): Promise<number> {
    let removed = 0;
    for (let from = 0; from < keys.length; from += keysAtOnce) {
      await this.#try(async () => {
        const some = keys.slice(from, from + keysAtOnce);
        await this.#world.store.delete(some);
        removed += some.length;
      });
    }
    return removed;
  }

  #isOver(): boolean {
    return this.#signal.aborted || performance.now() >= this.#ends;
  }

  /** Runs a step unless the time is up. Its failure is kept for the end, because the other steps must still run. */
  async #try(work: () => Promise<void>): Promise<void> {
    if (this.#isOver()) return;
    try {
      await work();
    } catch (error) {
      this.#failures.push(error);
    }
  }
}

function readableRetention(table: string, { metadata }: Snapshot): number {
  const retention = retentionOf(metadata);
  if (retention !== Infinity) return retention;
  throw new DestinationError(
    `${table}: its property ${retentionProperty} is not an interval, so nothing is deleted.`,
    'Set it to an interval such as "interval 7 days".',
  );
}

/** The keys of data files that the snapshot does not use and that were removed, or written and never named, long ago. */
function unusedFiles(
  table: string,
  { files, tombstones }: Snapshot,
  objects: readonly StoredObject[],
  before: { readonly expired: number; readonly abandoned: number },
): { readonly expired: readonly string[]; readonly abandoned: readonly string[] } {
  const live = keysOf(table, files.values());
  const removedAt = new Map(
    [...tombstones.values()].map((remove) => [dataKey(table, remove), remove.deletionTimestamp]),
  );
  const unused = objects.filter(({ key }) => isDataFile(table, key) && !live.has(key));
  const expired = unused.filter(({ key }) => (removedAt.get(key) ?? Infinity) < before.expired);
  const abandoned = unused.filter(
    ({ key, writtenAt }) => !removedAt.has(key) && writtenAt < before.abandoned,
  );
  return { expired: expired.map(({ key }) => key), abandoned: abandoned.map(({ key }) => key) };
}

function keysOf(table: string, files: Iterable<{ readonly path: string }>): Set<string> {
  return new Set([...files].map((file) => dataKey(table, file)));
}

/** By the protocol, a path with a part that starts with `_` or `.` is not a data file. */
function isDataFile(table: string, key: string): boolean {
  const path = key.slice(table.length + 1);
  return path.endsWith('.parquet') && !path.split('/').some((name) => /^[_.]/.test(name));
}
