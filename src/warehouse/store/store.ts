/** An object in a store; `key` is relative to the store's root, with `/` between its parts. */
export type StoredObject = {
  readonly key: string;
  readonly bytes: number;
  /** Last write, milliseconds since the epoch. */
  readonly writtenAt: number;
};

/**
 * Where tables are kept: a folder or a bucket.
 * Every write happens completely or not at all, and is durable when its promise resolves.
 */
export type Store = {
  readonly kind: 'folder' | 'bucket';
  /**
   * Whether put-if-absent is known to work under any load: on a file system, and if the cloud that runs the store
   * guarantees it. In any other store a commit has to check that it was not replaced.
   */
  readonly trusted: boolean;
  /**
   * All objects under a prefix, at any depth, sorted by key; none if there is nothing under it.
   * @param options.after lists only the keys after this one; most buckets then send no others
   */
  list(prefix: string, options?: { readonly after?: string }): Promise<StoredObject[]>;
  /** The part of every key before its first `/`, once each, sorted. */
  folders(): Promise<string[]>;
  /** The object's bytes; `undefined` if there is no such object. */
  read(key: string): Promise<Buffer | undefined>;
  /** Writes or replaces an object. Only for hints that may be lost, never for a commit. */
  write(key: string, bytes: Uint8Array): Promise<void>;
  /**
   * Writes an object unless there is one; `false` if there is. Every commit depends on this.
   * @param whenReady awaited before the last step, so that the probe can let several writers take it at the same moment
   */
  writeIfAbsent(key: string, bytes: Uint8Array, whenReady?: () => Promise<void>): Promise<boolean>;
  /**
   * Moves a finished local file into place, under a name that nothing else uses; returns its size in bytes.
   * @param options.inParts sends even a small file to a bucket in parts, as large files are
   */
  upload(key: string, localFile: string, options?: { readonly inParts: boolean }): Promise<number>;
  /** Gives `work` objects as local files, until it is done. */
  withLocal<T>(work: (local: LocalFiles) => Promise<T>): Promise<T>;
  /** No error for a key that does not exist. */
  delete(keys: readonly string[]): Promise<void>;
  /** Deletes everything under the prefix. */
  deleteAll(prefix: string): Promise<void>;
  /** Where files are kept that are still on their way: for a folder, the store itself. */
  readonly local: LocalStore;
};

/** Objects as local files for DuckDB to read. They must not change once they are written. */
export type LocalFiles = {
  /** The most bytes to request together; a single object may be larger. */
  readonly room: number;
  /** A path for each key, valid until other keys are requested. */
  paths(keys: readonly string[]): Promise<string[]>;
};

/** A store that is a local folder. */
export type LocalStore = Store & {
  /** A new folder for files on their way, under a prefix. */
  scratch(prefix: string): Promise<string>;
};

/** For everything that does not belong to a table: staged parts by table and run, and files on their way. */
export const stagingFolder = '_staging';
/** For small texts that belong to a connection rather than to a table. */
export const notesFolder = '_notes';
/** Objects are written here before they get their name. */
export const writesFolder = `${stagingFolder}/_writes`;
/** Objects of the probe of a destination. */
export const probePrefix = `${stagingFolder}/_probe-`;
/** For what DuckDB cannot keep in memory. */
export const spillFolder = `${stagingFolder}/_spill`;

/** Splits items into runs of consecutive ones that fit into the room together. */
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
