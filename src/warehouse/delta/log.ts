import { defined } from '../../defined.ts';
import { DestinationError, SourceError } from '../../errors.ts';
import type { Action, Add } from './actions.ts';
import { type Checkpoint, newestCheckpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { sideBySide } from '../side-by-side.ts';
import { Replay, type Snapshot } from './snapshot.ts';
import { isFirstOfDay } from './table-clock.ts';
import type { StoredObject } from '../store/store.ts';
import type { World } from '../world.ts';

/** A reader replays fewer versions than this, because every tenth has a checkpoint. */
const checkpointEvery = 10;

/** The newest state in a log. */
type Newest = {
  /** `undefined` if the log is empty. */
  readonly version: number | undefined;
  readonly checkpoint: Checkpoint | undefined;
  /** The files of the log, or those from the checkpoint on. */
  readonly listed: readonly StoredObject[];
};

/** Times of a commit, milliseconds since the epoch. */
export type CommitTimes = {
  readonly now: number;
  /** When the caller's previous commit to the table was; 0 if unknown. */
  readonly since: number;
};

type LogWorld = Pick<World, 'store' | 'duckDb'> & Partial<Pick<World, 'snapshots'>>;

/** The Delta log of one table. Each version is a file that is written once; versions are numbered without gaps. */
export class DeltaLog {
  readonly #world: LogWorld;
  readonly #table: string;

  constructor(world: LogWorld, table: string) {
    this.#world = world;
    this.#table = table;
  }

  /**
   * The table as of a version, by default the newest. `undefined` if there is no such version, or the log no longer
   * reaches back to it. Throws `DestinationError` if the log cannot be read.
   */
  async snapshot(at?: number): Promise<Snapshot | undefined> {
    const { version: newest, checkpoint, listed } = await this.#newest(at);
    if (newest === undefined || (at !== undefined && newest < at)) return undefined;
    const known = at === undefined ? this.#world.snapshots?.of(this.#table, listed) : undefined;
    if (known?.version === newest) return known;
    const replay = new Replay(known);
    if (checkpoint && !known) replay.apply(await this.#actionsOfCheckpoint(checkpoint));
    const commits = await sideBySide(versionsBetween(known ?? checkpoint, newest), async (version) => {
      const actions = await this.actionsOf(version);
      if (actions !== undefined || at !== undefined) return actions;
      throw new DestinationError(
        `${this.#table}: version ${version} is missing from its Delta log.`,
        'Restore the file from a backup, or delete the table folder and sync again.',
      );
    });
    for (const actions of commits) {
      if (actions === undefined) return undefined;
      replay.apply(actions);
    }
    const snapshot = replay.snapshot(newest, this.#table);
    const file = listed.find(({ key }) => key === this.#key(`${digits(newest)}.json`));
    if (at === undefined && file) this.#world.snapshots?.keep(this.#table, snapshot, file);
    return snapshot;
  }

  async #actionsOfCheckpoint(checkpoint: Checkpoint): Promise<Action[]> {
    try {
      return await readCheckpoint(this.#world, checkpoint);
    } catch (error) {
      // Errors of the store or the operating system are not about this file.
      if (error instanceof SourceError || (error as NodeJS.ErrnoException).code !== undefined) throw error;
      throw new DestinationError(
        `${this.#table}: the checkpoint of version ${checkpoint.version} of its Delta log cannot be read.`,
        'Restore the file from a backup, or delete the table folder and sync again.',
        { cause: error },
      );
    }
  }

  /** The number of the newest version; `undefined` if there is no table. */
  async newestVersion(): Promise<number | undefined> {
    return (await this.#newest()).version;
  }

  /** The actions of one version; `undefined` if its file does not exist, or no longer does. */
  async actionsOf(version: number): Promise<Action[] | undefined> {
    const bytes = await this.#world.store.read(this.#key(`${digits(version)}.json`));
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
   * Commits the version after `before`; `false` if another writer has committed it first. Every tenth version and the
   * first of each day get a checkpoint. Upkeep deletes the log before an old checkpoint, so a table that is rarely
   * committed to would otherwise keep facts about deleted rows in its log for months.
   * @param before `undefined` if there is no table
   */
  async commit(
    before: Snapshot | undefined,
    actions: readonly Action[],
    { now, since }: CommitTimes,
  ): Promise<boolean> {
    const version = versionAfter(before);
    const lines = actions.map((action) => `${JSON.stringify(action)}\n`).join('');
    const written = await this.#writeOnce(this.#key(`${digits(version)}.json`), Buffer.from(lines));
    if (!written || !before) return written;
    if (version % checkpointEvery === 0 || isFirstOfDay(before.metadata, since, now)) {
      const replay = new Replay(before);
      replay.apply(actions);
      await this.#checkpoint(replay.snapshot(version, this.#table), since);
    }
    return true;
  }

  /**
   * A store that is not trusted may let a second writer replace the file. Reading it back shows most of those cases,
   * but not the one in which the second writer comes after this read.
   */
  async #writeOnce(key: string, bytes: Buffer): Promise<boolean> {
    const { store } = this.#world;
    if (!(await store.writeIfAbsent(key, bytes))) return false;
    return store.trusted || bytes.equals((await store.read(key)) ?? Buffer.of());
  }

  async #checkpoint(snapshot: Snapshot, since: number): Promise<void> {
    const { store } = this.#world;
    const { bytes, actions } = await writeCheckpoint(this.#world, snapshot, since);
    await store.write(this.#key(`${digits(snapshot.version)}.checkpoint.parquet`), bytes);
    const hint = {
      version: snapshot.version,
      size: actions,
      sizeInBytes: bytes.byteLength,
      numOfAddFiles: snapshot.files.size,
    };
    // Spark writes a checksum of the hint, and refuses a hint that does not match it.
    await store.delete([this.#key('._last_checkpoint.crc')]);
    await store.write(this.#key('_last_checkpoint'), Buffer.from(JSON.stringify(hint)));
  }

  /** Lists the log from the checkpoint that the hint names, because a whole log may be thousands of files. */
  async #newest(at?: number): Promise<Newest> {
    const hint = await this.#hint();
    if (hint !== undefined && hint <= (at ?? hint)) {
      const newest = await this.#listed(at, this.#key(digits(hint)));
      // The hint may be wrong, or name a checkpoint that has been deleted.
      if (newest.checkpoint) return newest;
    }
    return this.#listed(at);
  }

  async #hint(): Promise<number | undefined> {
    const bytes = await this.#world.store.read(this.#key('_last_checkpoint'));
    if (bytes === undefined) return undefined;
    try {
      const { version } = JSON.parse(bytes.toString()) as { version?: unknown };
      return Number.isSafeInteger(version) ? (version as number) : undefined;
    } catch {
      // Another writer may leave half of a hint. The log can be read without one.
      return undefined;
    }
  }

  /** @param at the newest version to look at; by default all of them */
  async #listed(at?: number, after?: string): Promise<Newest> {
    const log = this.#key('');
    const last = at === undefined ? undefined : this.#key(`${digits(at)}~`);
    // Every name of a version begins with its digits, so the order of the names is that of the versions.
    const listed = (await this.#world.store.list(log, defined({ after }))).filter(
      ({ key }) => last === undefined || key < last,
    );
    const keys = listed.map(({ key }) => key);
    let version: number | undefined;
    for (const key of keys) {
      const found = /^(\d{20})\.json$/.exec(key.slice(log.length))?.[1];
      if (found !== undefined) version = Math.max(version ?? -1, Number(found));
    }
    const checkpoint = newestCheckpoint(keys);
    if (checkpoint) version = Math.max(version ?? -1, checkpoint.version);
    return { version, checkpoint, listed };
  }

  #key(name: string): string {
    return `${this.#table}/_delta_log/${name}`;
  }
}

/** The number of the version that comes after; the first is 0. */
export function versionAfter(before: Snapshot | undefined): number {
  return before ? before.version + 1 : 0;
}

/** The versions to replay on top of a checkpoint or a snapshot. */
function versionsBetween(from: { readonly version: number } | undefined, last: number): number[] {
  const first = (from?.version ?? -1) + 1;
  return Array.from({ length: Math.max(0, last + 1 - first) }, (_, index) => first + index);
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

/** The store's key of a data file, whose path in the log is a URL-encoded relative URI. */
export function dataKey(table: string, { path }: Pick<Add, 'path'>): string {
  if (/^(?:[a-z][a-z0-9+.-]*:|\/)/i.test(path)) {
    throw new DestinationError(
      `${table}: its Delta log names a data file outside the table folder.`,
      'The table may be a shallow clone, which cannot be synced into: use another destination, or delete the table folder.',
    );
  }
  return `${table}/${decodeURIComponent(path)}`;
}
