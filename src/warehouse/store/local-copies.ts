import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { sideBySide } from '../side-by-side.ts';
import type { LocalFiles } from './store.ts';

/** Writes an object to a path. Calls `reserve` with the object's size in bytes before it writes the first byte. */
export type Download = (
  key: string,
  path: string,
  reserve: (bytes: number) => Promise<void>,
) => Promise<void>;

/** Copies of objects in a folder. If there is no room for more, those requested longest ago are deleted. */
export class LocalCopies implements LocalFiles {
  readonly room: number;
  readonly #folder: string;
  readonly #download: Download;
  /** By key; the one requested longest ago comes first. */
  readonly #copies = new Map<string, { readonly path: string; bytes: number }>();
  #bytes = 0;
  #names = 0;

  constructor(folder: string, room: number, download: Download) {
    this.#folder = folder;
    this.room = room;
    this.#download = download;
  }

  async paths(keys: readonly string[]): Promise<string[]> {
    const wanted = new Set(keys);
    const missing: string[] = [];
    for (const key of wanted) {
      const copy = this.#copies.get(key);
      if (copy) {
        this.#copies.delete(key);
        this.#copies.set(key, copy);
      } else {
        missing.push(key);
      }
    }
    await sideBySide(missing, (key) => this.#fetch(key, wanted));
    return keys.map((key) => this.#copies.get(key)!.path);
  }

  async #fetch(key: string, wanted: ReadonlySet<string>): Promise<void> {
    const copy = { path: join(this.#folder, `${this.#names}.parquet`), bytes: 0 };
    this.#names += 1;
    await this.#download(key, copy.path, async (bytes) => {
      // A download that is tried again has reserved its room before.
      this.#bytes += bytes - copy.bytes;
      copy.bytes = bytes;
      await this.#makeRoom(wanted);
    });
    this.#copies.set(key, copy);
  }

  async #makeRoom(wanted: ReadonlySet<string>): Promise<void> {
    for (const [key, { path, bytes }] of this.#copies) {
      if (this.#bytes <= this.room) return;
      if (wanted.has(key)) continue;
      this.#copies.delete(key);
      this.#bytes -= bytes;
      await rm(path, { force: true });
    }
  }
}
