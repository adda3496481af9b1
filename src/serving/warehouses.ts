import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { notServed, type Warehouses } from '../../activities/warehouses.ts';
import { DestinationUnavailableError } from '../errors.ts';
import { isPoolQueue } from '../temporal/names.ts';
import { KnownSnapshots, mostBytesOfAll } from '../warehouse/delta/known-snapshots.ts';
import { DuckDb } from '../warehouse/duckdb.ts';
import { openDestination } from '../warehouse/open-warehouse.ts';
import { bucketOf } from '../warehouse/store/destination.ts';
import { scratchStore } from '../warehouse/store/scratch-store.ts';
import { spillFolder } from '../warehouse/store/store.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { ConnectionsByPlace } from './connections.ts';

/** A warehouse that is unused for this long is closed; opening it again costs a probe of its store. */
const closeAfterMs = 60 * 60_000;
/** A folder that does not answer within this time counts as hanging. */
const answersMs = 5_000;

type Opened = {
  readonly warehouse: Promise<Warehouse>;
  users: number;
  /** Milliseconds since the epoch. */
  lastUsed: number;
  /** A question to the folder that has no answer yet. */
  asking?: Promise<unknown> | undefined;
};

/** Warehouses that are opened when they are needed. They share one engine, and so one limit of memory. */
export class OpenWarehouses {
  readonly #engine: DuckDb;
  readonly #snapshots = new KnownSnapshots(mostBytesOfAll);
  readonly #opened = new Map<string, Opened>();

  /** @param memory bytes; the engine's own limit if left out */
  constructor(memory?: number) {
    this.#engine = new DuckDb({
      // Not in a destination: if that one hung, the others would have to wait.
      makeSpillFolder: async () => (await scratchStore()).scratch(spillFolder),
      ...(memory !== undefined && { memory }),
    });
  }

  /** Gives `work` the warehouse at a destination. Throws `DestinationUnavailableError` if it is a folder that hangs. */
  async use<T>(destination: string, work: (warehouse: Warehouse) => Promise<T>): Promise<T> {
    await this.#closeUnused(Date.now() - closeAfterMs);
    const opened = this.#openedAt(destination);
    opened.users += 1;
    try {
      if (bucketOf(destination) === undefined) await assertAnswers(destination, opened);
      return await work(await opened.warehouse);
    } finally {
      opened.users -= 1;
      opened.lastUsed = Date.now();
    }
  }

  async close(): Promise<void> {
    for (const { warehouse } of this.#opened.values()) await (await warehouse).close();
    this.#opened.clear();
    await this.#engine.close();
  }

  #openedAt(destination: string): Opened {
    const known = this.#opened.get(destination);
    if (known) return known;
    const warehouse = openDestination(destination, {
      engine: this.#engine,
      snapshots: this.#snapshots,
    });
    const opened: Opened = { warehouse, users: 0, lastUsed: Date.now() };
    this.#opened.set(destination, opened);
    // A missing library may be installed before the next attempt.
    warehouse.catch(() => this.#opened.delete(destination));
    return opened;
  }

  async #closeUnused(before: number): Promise<void> {
    for (const [destination, { warehouse, users, lastUsed }] of this.#opened) {
      if (users > 0 || lastUsed > before) continue;
      this.#opened.delete(destination);
      await (await warehouse).close();
    }
  }
}

/**
 * A call to a folder that hangs, such as an unreachable network file system, never returns and blocks one of Node's
 * four threads. So one call is made as a probe, and no others until it returns.
 */
async function assertAnswers(folder: string, opened: Opened): Promise<void> {
  opened.asking ??= stat(folder).then(
    () => (opened.asking = undefined),
    // The work itself gives a better error about the folder than this probe could.
    () => (opened.asking = undefined),
  );
  const limit = new AbortController();
  const late = sleep(answersMs, 'late', { signal: limit.signal }).catch(() => undefined);
  const first = await Promise.race([opened.asking, late]);
  limit.abort();
  if (first === 'late')
    throw new DestinationUnavailableError(`${folder} has not answered for ${answersMs / 1_000} s.`);
}

/** The warehouses that the runs of these connections may use. */
export function warehousesOf(byPlace: ConnectionsByPlace, opened: OpenWarehouses): Warehouses {
  return {
    async use({ destination, taskQueue }, work) {
      const settings =
        destination === undefined ? byPlace.ofEarlierQueue(taskQueue) : byPlace.at(destination);
      // Otherwise anyone who can start a run could make this process write anywhere.
      if (!settings) throw notServed(destination, taskQueue, isPoolQueue(taskQueue) ? 'never' : 'later');
      return opened.use(settings.destination, work);
    },
    sourceOf: ({ destination }) => (destination === undefined ? undefined : byPlace.at(destination)),
  };
}

/**
 * The warehouses of a platform's worker.
 * @param usual the destination of runs that do not name one
 */
export function warehousesServed(
  opened: OpenWarehouses,
  serves: (destination: string) => boolean,
  usual?: string,
): Warehouses {
  return {
    async use({ destination = usual, taskQueue }, work) {
      if (destination === undefined || !serves(destination)) throw notServed(destination, taskQueue, 'never');
      return opened.use(destination, work);
    },
    sourceOf: () => undefined,
  };
}
