/** An object in a store; `key` is relative to the store's root, with `/` between its parts. */
export type StoredObject = {
  readonly key: string;
  readonly bytes: number;
  /** Last write, milliseconds since the epoch. */
  readonly writtenAt: number;
};

/**
 * Where tables live: a folder or a bucket.
 * Every write is whole or not at all, and durable when its promise resolves.
 */
export type Store = {
  readonly kind: 'folder' | 'bucket';
  /**
   * All objects under a prefix, at any depth, sorted by key; a prefix that holds nothing gives none.
   * @param after only keys behind this one: a bucket is asked for no others.
   */
  list(prefix: string, options?: { readonly after?: string }): Promise<StoredObject[]>;
  /** The names before the first `/` of all keys, sorted. */
  folders(): Promise<string[]>;
  /** The object's bytes; `undefined` where there is none. */
  read(key: string): Promise<Buffer | undefined>;
  /** Replaces the object. Only for hints that may be lost, never for a commit. */
  write(key: string, bytes: Uint8Array): Promise<void>;
  /** Writes the object unless there is one; `false` if there is. What a commit rests on. */
  writeIfAbsent(key: string, bytes: Uint8Array): Promise<boolean>;
  /** Moves a finished local file into place under a name nobody else uses; its size in bytes. */
  upload(key: string, localFile: string): Promise<number>;
  /** Hands out objects as local files, which are gone when `work` is done. */
  withLocal<T>(work: (local: LocalFiles) => Promise<T>): Promise<T>;
  /** No error where there is none. */
  delete(keys: readonly string[]): Promise<void>;
  /** Deletes everything under the prefix. */
  deleteAll(prefix: string): Promise<void>;
  /** Where files on their way lie: this store itself, where it is a folder. */
  readonly local: LocalStore;
};

/** Objects that are written once, as local files for DuckDB to read. */
export type LocalFiles = {
  /** Bytes to ask for at once at most; a single object may be larger. */
  readonly room: number;
  /** A path for each key, good until it is asked for others. */
  paths(keys: readonly string[]): Promise<string[]>;
};

/** A store that is a local folder. */
export type LocalStore = Store & {
  /** A new folder for files on their way, under the given prefix. */
  scratch(prefix: string): Promise<string>;
};

/** Everything that is not a table's: staged parts by table and run, and files on their way. */
export const stagingFolder = '_staging';
/** Objects that are written here before they get their name. */
export const writesFolder = `${stagingFolder}/_writes`;
/** Objects that try out whether a destination takes any. */
export const probePrefix = `${stagingFolder}/_probe-`;
/** What DuckDB spills. */
export const spillFolder = `${stagingFolder}/_spill`;

/** Runs of consecutive items that may be local at once. */
export function withinRoom<Item extends { readonly bytes: number }>(
  items: readonly Item[],
  room: number,
): Item[][] {
  const groups: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    bytes += item.bytes;
    const group = groups.at(-1);
    if (group && bytes <= room) {
      group.push(item);
    } else {
      groups.push([item]);
      bytes = item.bytes;
    }
  }
  return groups;
}
