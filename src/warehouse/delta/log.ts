import { DestinationError, SourceError } from '../../errors.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { Action, Add, Metadata, Protocol, Remove, Txn } from './actions.ts';
import type { DuckDb } from '../duckdb.ts';
import { isFirstOfDay } from '../upkeep/periods.ts';
import { sideBySide } from '../side-by-side.ts';
import type { Store } from '../store/store.ts';
import { committedAt } from './table-state.ts';

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

/** A checkpoint of one or several files. */
export type Checkpoint = { readonly version: number; readonly keys: readonly string[] };

type Newest = {
  /** `undefined` where the log is empty. */
  readonly newest: number | undefined;
  readonly checkpoint: Checkpoint | undefined;
};

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
    const { newest, checkpoint } = await this.#newest();
    if (newest === undefined) return undefined;
    const state = new Replay();
    if (checkpoint) state.apply(await this.#actionsOf(checkpoint));
    const version = checkpoint?.version ?? -1;
    const missing = Array.from({ length: newest - version }, (_, index) => version + 1 + index);
    const commits = await sideBySide(missing, async (version) => {
      const actions = await this.commitOf(version);
      if (actions !== undefined) return actions;
      throw new DestinationError(
        `${this.#table}: version ${version} is missing from its Delta log.`,
        'Restore the file from a backup, or delete the table folder and sync again.',
      );
    });
    for (const actions of commits) state.apply(actions);
    return state.snapshot(newest, this.#table);
  }

  async #actionsOf({ version, keys }: Checkpoint): Promise<Action[]> {
    try {
      return await readCheckpoint(this.#store, this.#duckDb, keys);
    } catch (error) {
      // What the store says, or the system, is true of more than this file.
      if (error instanceof SourceError || (error as NodeJS.ErrnoException).code !== undefined) throw error;
      throw new DestinationError(
        `${this.#table}: the checkpoint of version ${version} of its Delta log cannot be read.`,
        'Restore the file from a backup, or delete the table folder and sync again.',
        { cause: error },
      );
    }
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

  /**
   * Commits a version; `false` where somebody else has committed it. Every tenth gets a checkpoint, and the first of a
   * day: the log before one can go, and with it what it says of rows that are gone.
   */
  async commit(
    version: number,
    actions: readonly Action[],
    before: Snapshot | undefined,
    now: number,
  ): Promise<boolean> {
    const lines = actions.map((action) => `${JSON.stringify(action)}\n`).join('');
    const written = await this.#store.writeIfAbsent(this.#key(`${digits(version)}.json`), Buffer.from(lines));
    if (!written || !before) return written;
    const since = committedAt(before);
    if (version % checkpointEvery === 0 || isFirstOfDay(before.metadata, since, now)) {
      const state = new Replay(before);
      state.apply(actions);
      await this.#checkpoint(state.snapshot(version, this.#table), since);
    }
    return true;
  }

  async #checkpoint(snapshot: Snapshot, since: number): Promise<void> {
    const { bytes, actions } = await writeCheckpoint(this.#store, this.#duckDb, snapshot, since);
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

  /** The newest version and the newest checkpoint. The log is listed from the checkpoint that the hint names. */
  async #newest(): Promise<Newest> {
    const hint = await this.#hint();
    if (hint !== undefined) {
      const newest = await this.#listed(this.#key(digits(hint)));
      // A hint may lie, or name a checkpoint that is gone.
      if (newest.checkpoint) return newest;
    }
    return this.#listed();
  }

  async #hint(): Promise<number | undefined> {
    const bytes = await this.#store.read(this.#key('_last_checkpoint'));
    if (bytes === undefined) return undefined;
    try {
      const { version } = JSON.parse(bytes.toString()) as { version?: unknown };
      return Number.isSafeInteger(version) ? (version as number) : undefined;
    } catch {
      // Half of a hint is no hint: another writer may not write it whole.
      return undefined;
    }
  }

  async #listed(after?: string): Promise<Newest> {
    let newest: number | undefined;
    const log = this.#key('');
    const keys = (await this.#store.list(log, { ...(after !== undefined && { after }) })).map(
      ({ key }) => key,
    );
    for (const key of keys) {
      const version = /^(\d{20})\.json$/.exec(key.slice(log.length))?.[1];
      if (version !== undefined) newest = Math.max(newest ?? -1, Number(version));
    }
    const checkpoint = newestCheckpoint(keys);
    if (checkpoint) newest = Math.max(newest ?? -1, checkpoint.version);
    return { newest, checkpoint };
  }

  #key(name: string): string {
    return `${this.#table}/_delta_log/${name}`;
  }
}

/** The newest checkpoint that is whole among files of a log. */
export function newestCheckpoint(keys: readonly string[]): Checkpoint | undefined {
  const found = new Map<string, { version: number; of: number; keys: string[] }>();
  for (const key of keys) {
    const part = /\/(\d{20})\.checkpoint(?:\.\d{10}\.(\d{10}))?\.parquet$/.exec(key);
    if (!part) continue;
    // One version may have checkpoints of one and of several files.
    const set = `${part[1]}/${part[2] ?? '1'}`;
    const known = found.get(set) ?? { version: Number(part[1]), of: Number(part[2] ?? 1), keys: [] };
    known.keys.push(key);
    found.set(set, known);
  }
  const whole = [...found.values()].filter(({ of, keys }) => keys.length === of);
  return whole.sort((a, b) => b.version - a.version)[0];
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
