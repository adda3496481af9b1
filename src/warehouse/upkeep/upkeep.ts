import { DestinationError } from '../../errors.ts';
import type { Table } from '../../tables/table.ts';
import type { CommitWorld } from '../world.ts';
import { compact, compactionOf } from './compaction.ts';
import { dataKey, DeltaLog, type Snapshot } from '../delta/log.ts';
import { expired } from './due.ts';
import { checkpointBefore, type LogFile, logFilesAmong, logFilesBefore } from './log-cleanup.ts';
import { hourMs, isFirstOfDay } from './periods.ts';
import { retentionOf, retentionProperty } from '../delta/retention.ts';
import { sideBySide } from '../side-by-side.ts';
import { sweepStaged } from './staging.ts';
import type { StoredObject } from '../store/store.ts';
import { assertWritableTable } from '../delta/table-state.ts';
import type { Upkeep } from '../warehouse.ts';

/** No step begins later: the last one has the rest of the minute. */
const beginMs = 35_000;
/** What nobody wrote to for so long has nobody any more: no run lives as long without a word. */
const abandonedMs = 7 * 86_400_000;
/** An upkeep may come so long after its commit, and clocks may differ. */
const clockToleranceMs = hourMs;
/** So many keys make a step. */
const keysAtOnce = 100;

/** See `Warehouse.keepUp`. */
export async function keepUp(
  world: CommitWorld,
  { name: table }: Pick<Table, 'name'>,
  since: number,
  signal: AbortSignal,
): Promise<Upkeep> {
  const log = new DeltaLog(world.store, world.duckDb, table);
  const snapshot = await log.snapshot();
  const keeping = new Keeping(world, log, table, since, signal);
  if (snapshot) {
    assertWritableTable(table, world.destination, snapshot);
    await keeping.removeExpired(snapshot);
    // Once a day everything that lies in the table's folder is looked at.
    if (isFirstOfDay(snapshot.metadata, since, keeping.now)) await keeping.removeListed(snapshot);
    await keeping.compactFiles(snapshot);
  }
  return keeping.result();
}

class Keeping {
  readonly now: number;
  readonly #world: CommitWorld;
  readonly #log: DeltaLog;
  readonly #table: string;
  readonly #since: number;
  readonly #signal: AbortSignal;
  readonly #ends = performance.now() + beginMs;
  readonly #failures: unknown[] = [];
  #filesCompacted = 0;
  #filesRemoved = 0;
  #logRemoved = 0;
  #stagingSwept = 0;

  constructor(world: CommitWorld, log: DeltaLog, table: string, since: number, signal: AbortSignal) {
    this.now = world.now();
    this.#world = world;
    this.#log = log;
    this.#table = table;
    this.#since = since;
    this.#signal = signal;
  }

  result(): Upkeep {
    this.#signal.throwIfAborted();
    // The others have most likely the same cause.
    if (this.#failures.length > 0) throw this.#failures[0];
    return {
      filesCompacted: this.#filesCompacted,
      filesRemoved: this.#filesRemoved,
      logRemoved: this.#logRemoved,
      stagingSwept: this.#stagingSwept,
    };
  }

  /** Removes the files whose retention has just ended; the log knows them all. */
  async removeExpired(snapshot: Snapshot): Promise<void> {
    await this.#try(async () => {
      const live = keysOf(this.#table, snapshot.files.values());
      const keys = keysOf(this.#table, expired(snapshot, this.#since, this.now));
      await this.#removeFiles([...keys].filter((key) => !live.has(key) && isDataFile(this.#table, key)));
    });
  }

  /** Removes what a look at the whole folder finds: files an earlier upkeep did not get to, or that no commit names. */
  async removeListed(snapshot: Snapshot): Promise<void> {
    const { store } = this.#world;
    await this.#try(async () => {
      const retention = readableRetention(this.#table, snapshot);
      const objects = await store.list(`${this.#table}/`);
      const logFiles = logFilesAmong(this.#table, objects);
      const now = this.#believed(logFiles);
      const oldest = now - retention;
      await this.#try(async () => {
        await this.#removeFiles(await this.#needless(snapshot, objects, logFiles, now, oldest));
      });
      await this.#try(async () => {
        const old = await logFilesBefore(this.#world, this.#log, this.#table, snapshot, logFiles, oldest);
        this.#logRemoved += await this.#remove(old.map(({ key }) => key));
      });
      await this.#try(async () => {
        this.#stagingSwept += await sweepStaged(store, this.#table, now - abandonedMs);
      });
    });
  }

  /**
   * Now, as far as the store's own clock bears it out, which dated the commit behind which this runs. A worker whose
   * clock is days ahead would take another one's files, not yet committed, for abandoned ones.
   */
  #believed(logFiles: readonly LogFile[]): number {
    return Math.min(this.now, Math.max(...logFiles.map(({ writtenAt }) => writtenAt)) + clockToleranceMs);
  }

  /** Makes large files of small ones, one version each. */
  async compactFiles(snapshot: Snapshot): Promise<void> {
    await this.#try(async () => {
      for (let before: Snapshot | undefined = snapshot; before; before = await this.#log.snapshot()) {
        const inputs = compactionOf(before.files.values());
        if (!inputs || this.#isOver()) return;
        // Where it gave way somebody else is at work: the next time will do.
        if (!(await compact(this.#world, this.#log, this.#table, before, inputs))) return;
        this.#filesCompacted += inputs.length;
      }
    });
  }

  /** Data files that no version of the retention reads. */
  async #needless(
    snapshot: Snapshot,
    objects: readonly StoredObject[],
    logFiles: readonly LogFile[],
    now: number,
    oldest: number,
  ): Promise<string[]> {
    const live = keysOf(this.#table, snapshot.files.values());
    const removedAt = new Map(
      [...snapshot.tombstones.values()].map((remove) => [
        dataKey(this.#table, remove),
        remove.deletionTimestamp,
      ]),
    );
    const unused = objects.filter(({ key }) => isDataFile(this.#table, key) && !live.has(key));
    const old = unused.filter(({ key }) => (removedAt.get(key) ?? Infinity) < oldest);
    const unnamed = unused.filter(
      ({ key, writtenAt }) => !removedAt.has(key) && writtenAt < now - abandonedMs,
    );
    const named = unnamed.length === 0 ? new Set() : await this.#namedSince(logFiles, oldest);
    return [...old, ...unnamed.filter(({ key }) => !named.has(key))].map(({ key }) => key);
  }

  /**
   * Files that a version since then removed, though the state does not say so any more: a checkpoint of another
   * writer may forget too early. What is removed in versions that are gone themselves nobody can read.
   */
  async #namedSince(files: readonly LogFile[], oldest: number): Promise<Set<string>> {
    const from = checkpointBefore(files, oldest)?.version ?? 0;
    const commits = files.filter(({ key, version }) => version >= from && key.endsWith(`${version}.json`));
    const named = await sideBySide(commits, async ({ version }) =>
      ((await this.#log.commitOf(version)) ?? []).flatMap(({ remove }) =>
        remove ? [dataKey(this.#table, remove)] : [],
      ),
    );
    return new Set(named.flat());
  }

  async #removeFiles(keys: readonly string[]): Promise<void> {
    this.#filesRemoved += await this.#remove(keys);
  }

  /** How many were deleted before time was up. What cannot be deleted does not keep the others. */
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

  /** One kind of upkeep must not keep the others from being done. */
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
    `${table}: its property ${retentionProperty} is no interval, so nothing is removed.`,
    'Set it to an interval such as "interval 7 days".',
  );
}

function keysOf(table: string, files: Iterable<{ readonly path: string }>): Set<string> {
  return new Set([...files].map((file) => dataKey(table, file)));
}

/** By the protocol, names that begin with `_` or `.` are no data files, nor is anything in folders of such names. */
function isDataFile(table: string, key: string): boolean {
  const path = key.slice(table.length + 1);
  return path.endsWith('.parquet') && !path.split('/').some((name) => /^[_.]/.test(name));
}
