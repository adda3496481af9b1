import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../errors.ts';
import { systemCodeOf } from '../failure.ts';
import { settingsFilesNow } from '../settings/files.ts';
import type { Settings } from '../settings/settings.ts';
import type { Connections } from './connections.ts';
import type { Log } from './logs.ts';
import { decide, type KnownFile, lookAt } from './settings-in-force.ts';

/** Asking for the state of a thousand files takes some ten milliseconds. */
const lookEveryMs = 3_000;

/**
 * The connections of settings files, and of folders of them. A file that comes, changes or goes takes effect with the
 * next look. A file with a mistake is reported and leaves the earlier settings in force; the others go on.
 */
export class WatchedSettings implements Connections {
  readonly #paths: readonly string[];
  readonly #pool: string | undefined;
  readonly #log: Log;
  readonly #listeners = new Set<() => void>();
  #files = new Map<string, KnownFile>();
  /** Files that were gone at the last look. An editor that replaces a file lets it vanish for a moment. */
  #missing = new Set<string>();
  /** Why the last look failed. */
  #trouble: string | undefined;
  #list: readonly Settings[] = [];

  private constructor(paths: readonly string[], pool: string | undefined, log: Log) {
    this.#paths = paths;
    this.#pool = pool;
    this.#log = log;
  }

  /**
   * Reads the files for the first time.
   * @param pool only connections of this pool are served
   *
   * Throws `UsageError` if there is no connection to serve.
   */
  static async open(paths: readonly string[], pool: string | undefined, log: Log): Promise<WatchedSettings> {
    const watched = new WatchedSettings(paths, pool, log);
    await watched.look();
    if (watched.#list.length > 0) return watched;
    const [first] = [...watched.#files.values()].flatMap(({ problem }) => problem ?? []);
    if (first) throw new UsageError(first.error, first.advice);
    const where = paths.join(', ');
    throw new UsageError(
      pool === undefined
        ? `There are no settings files in ${where}.`
        : `No settings file in ${where} has the pool ${pool}.`,
      pool === undefined
        ? 'Name a settings file, or a folder with files that end in .json.'
        : `Write "pool": "${pool}" into the settings of the connections that these workers are to serve.`,
    );
  }

  list(): readonly Settings[] {
    return this.#list;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Looks at the files until `done`. */
  async watch(done: AbortSignal): Promise<void> {
    while (!done.aborted) {
      await sleep(lookEveryMs, undefined, { signal: done }).catch(() => undefined);
      if (!done.aborted) await this.#lookOrTell();
    }
  }

  /** A folder that cannot be read now, as on a network file system, changes nothing; the next look may succeed. */
  async #lookOrTell(): Promise<void> {
    try {
      await this.look();
      this.#trouble = undefined;
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === undefined) throw error;
      if (this.#trouble !== code) {
        this.#log('error', 'cannot look for settings files: the current settings stay in force', {
          paths: this.#paths,
          error,
        });
      }
      this.#trouble = code;
    }
  }

  /** Applies what has changed since the last look. */
  async look(): Promise<void> {
    const present = await settingsFilesNow(this.#paths);
    const looked = await Promise.all(
      [...new Set([...this.#files.keys(), ...present])].map(async (file) => {
        const before = this.#files.get(file);
        const now = await lookAt(file, before);
        if (now) this.#missing.delete(file);
        return now ?? this.#gone(file, before);
      }),
    );
    const left = looked.filter((known) => known !== undefined);
    if (left.length === 0 && this.#files.size > 0) {
      throw Object.assign(new Error('no settings files are left'), { code: 'ENOENT' });
    }
    const decided = decide(left);
    for (const known of decided) this.#tell(this.#files.get(known.file), known);
    this.#files = new Map(decided.map((known) => [known.file, known]));
    const list = decided.flatMap(({ inForce }) => (inForce && this.#isOurs(inForce) ? [inForce] : []));
    if (JSON.stringify(list) === JSON.stringify(this.#list)) return;
    this.#tellChanges(this.#list, list);
    this.#list = list;
    for (const listener of this.#listeners) listener();
  }

  #gone(file: string, before: KnownFile | undefined): KnownFile | undefined {
    if (!before) return undefined;
    if (this.#missing.delete(file)) return undefined;
    this.#missing.add(file);
    return before;
  }

  #isOurs({ pool }: Settings): boolean {
    return this.#pool === undefined || pool === this.#pool;
  }

  #tell(before: KnownFile | undefined, { problem, inForce, file }: KnownFile): void {
    if (!problem || before?.problem?.error === problem.error) return;
    const kept = inForce && 'its earlier settings stay in force';
    this.#log('error', 'a settings file is not used', { file, ...problem, ...(kept && { kept }) });
  }

  #tellChanges(before: readonly Settings[], after: readonly Settings[]): void {
    // At the start, the worker logs what it serves.
    if (before.length === 0) return;
    const text = (list: readonly Settings[]) =>
      new Map(list.map((settings) => [settings.connection, JSON.stringify(settings)]));
    const [was, is] = [text(before), text(after)];
    for (const connection of was.keys()) {
      if (!is.has(connection)) this.#log('info', 'connection no longer served', { connection });
    }
    for (const [connection, settings] of is) {
      const earlier = was.get(connection);
      if (earlier === undefined) this.#log('info', 'connection served', { connection });
      else if (earlier !== settings) this.#log('info', 'settings of a connection changed', { connection });
    }
  }
}
