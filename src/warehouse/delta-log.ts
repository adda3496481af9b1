import { DestinationError } from '../errors.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { Action, Add, Metadata, Protocol, Remove, Txn } from './delta-actions.ts';
import type { DuckDb } from './duckdb.ts';
import type { Store } from './store.ts';

/** A table as of one version. */
export type Snapshot = {
  readonly version: number;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  /** Live data files by path. */
  readonly files: ReadonlyMap<string, Add>;
  /** Removed files that older versions still need, by path. */
  readonly tombstones: ReadonlyMap<string, Remove>;
  readonly txns: ReadonlyMap<string, Txn>;
};

/** How many versions are replayed at most before a checkpoint spares it. */
const checkpointEvery = 10;

/** The log of one table: its versions are files that are written once each, in order. */
export class DeltaLog {
  readonly #store: Store;
  readonly #duckDb: DuckDb;
  readonly #table: string;

  constructor(store: Store, duckDb: DuckDb, table: string) {
    this.#store = store;
    this.#duckDb = duckDb;
    this.#table = table;
  }

  /** The newest version; `undefined` where there is no table. Throws `DestinationError` where it cannot be read. */
  async snapshot(): Promise<Snapshot | undefined> {
    const { commits, checkpoints } = await this.#versions();
    if (commits.size === 0 && checkpoints.size === 0) return undefined;
    const state = new Replay();
    let version = -1;
    const checkpoint = Math.max(-1, ...checkpoints.keys());
    if (checkpoint >= 0) {
      state.apply(await readCheckpoint(this.#store, this.#duckDb, checkpoints.get(checkpoint)!));
      version = checkpoint;
    }
    const newest = Math.max(version, ...commits);
    while (version < newest) {
      version += 1;
      const actions = await this.commitOf(version);
      if (actions === undefined) {
        throw new DestinationError(
          `${this.#table}: version ${version} is missing from its Delta log.`,
          'Restore the file from a backup, or delete the table folder and sync again.',
        );
      }
      state.apply(actions);
    }
    return state.snapshot(version, this.#table);
  }

  /** The actions of one version; `undefined` where its file does not exist, or does no longer. */
  async commitOf(version: number): Promise<Action[] | undefined> {
    const bytes = await this.#store.read(this.#key(`${digits(version)}.json`));
    if (bytes === undefined) return undefined;
    try {
      return parseActions(bytes);
    } catch (error) {
      throw new DestinationError(
        `${this.#table}: version ${version} of its Delta log is not JSON.`,
        'Restore the file from a backup, or delete the table folder and sync again.',
        { cause: error },
      );
    }
  }

  /** Commits a version; `false` where somebody else has committed it. Every tenth gets a checkpoint. */
  async commit(version: number, actions: readonly Action[], before: Snapshot | undefined): Promise<boolean> {
    const lines = actions.map((action) => `${JSON.stringify(action)}\n`).join('');
    const written = await this.#store.writeIfAbsent(this.#key(`${digits(version)}.json`), Buffer.from(lines));
    if (written && version > 0 && version % checkpointEvery === 0) {
      const state = new Replay(before);
      state.apply(actions);
      await this.#checkpoint(state.snapshot(version, this.#table));
    }
    return written;
  }

  async #checkpoint(snapshot: Snapshot): Promise<void> {
    const { bytes, actions } = await writeCheckpoint(this.#store, this.#duckDb, snapshot);
    await this.#store.write(this.#key(`${digits(snapshot.version)}.checkpoint.parquet`), bytes);
    const hint = {
      version: snapshot.version,
      size: actions,
      sizeInBytes: bytes.byteLength,
      numOfAddFiles: snapshot.files.size,
    };
    // Spark leaves a checksum beside the hint, and refuses the hint that does not match it.
    await this.#store.delete([this.#key('._last_checkpoint.crc')]);
    await this.#store.write(this.#key('_last_checkpoint'), Buffer.from(JSON.stringify(hint)));
  }

  async #versions(): Promise<{ commits: Set<number>; checkpoints: Map<number, string[]> }> {
    const commits = new Set<number>();
    const parts = new Map<string, { version: number; of: number; keys: string[] }>();
    for (const { key } of await this.#store.list(this.#key(''))) {
      const name = key.slice(this.#key('').length);
      const commit = /^(\d{20})\.json$/.exec(name);
      if (commit) commits.add(Number(commit[1]));
      const checkpoint = /^(\d{20})\.checkpoint(?:\.\d{10}\.(\d{10}))?\.parquet$/.exec(name);
      if (!checkpoint) continue;
      // One version may have checkpoints of one and of several files.
      const set = `${checkpoint[1]}/${checkpoint[2] ?? '1'}`;
      const known = parts.get(set) ?? {
        version: Number(checkpoint[1]),
        of: Number(checkpoint[2] ?? 1),
        keys: [],
      };
      known.keys.push(key);
      parts.set(set, known);
    }
    const checkpoints = new Map<number, string[]>();
    for (const { version, of, keys } of parts.values()) {
      if (keys.length === of) checkpoints.set(version, keys);
    }
    return { commits, checkpoints };
  }

  #key(name: string): string {
    return `${this.#table}/_delta_log/${name}`;
  }
}

/** Actions in order make a state. */
class Replay {
  #protocol: Protocol | undefined;
  #metadata: Metadata | undefined;
  readonly #files: Map<string, Add>;
  readonly #tombstones: Map<string, Remove>;
  readonly #txns: Map<string, Txn>;

  constructor(from?: Snapshot) {
    this.#protocol = from?.protocol;
    this.#metadata = from?.metadata;
    this.#files = new Map(from?.files);
    this.#tombstones = new Map(from?.tombstones);
    this.#txns = new Map(from?.txns);
  }

  apply(actions: readonly Action[]): void {
    // The lines of a version have no order: it may remove and add one path.
    for (const { remove } of actions) {
      if (!remove) continue;
      this.#files.delete(remove.path);
      this.#tombstones.set(remove.path, remove);
    }
    for (const { add, metaData, protocol, txn } of actions) {
      if (add) {
        this.#tombstones.delete(add.path);
        this.#files.set(add.path, add);
      }
      if (metaData) this.#metadata = metaData;
      if (protocol) this.#protocol = protocol;
      if (txn) this.#txns.set(txn.appId, txn);
    }
  }

  snapshot(version: number, table: string): Snapshot {
    if (!this.#protocol || !this.#metadata) {
      throw new DestinationError(
        `${table}: its Delta log has no protocol or metadata.`,
        'Restore the log from a backup, or delete the table folder and sync again.',
      );
    }
    return {
      version,
      protocol: this.#protocol,
      metadata: this.#metadata,
      files: this.#files,
      tombstones: this.#tombstones,
      txns: this.#txns,
    };
  }
}

function digits(version: number): string {
  return String(version).padStart(20, '0');
}

function parseActions(bytes: Buffer): Action[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Action);
}

/** The store's key of a data file: its path in the log is a URL-encoded relative URI. */
export function dataKey(table: string, { path }: Pick<Add, 'path'>): string {
  if (/^(?:[a-z][a-z0-9+.-]*:|\/)/i.test(path)) {
    throw new DestinationError(
      `${table}: its Delta log names a data file outside of the table's folder.`,
      'A shallow clone cannot be synced into: use another destination, or delete the table folder.',
    );
  }
  return `${table}/${decodeURIComponent(path)}`;
}
