/** An object in a store; `key` is relative to the store's root, with `/` between its parts. */
export type StoredObject = {
  readonly key: string;
  readonly bytes: number;
  /** Last write, milliseconds since the epoch. */
  readonly writtenAt: number;
};

/**
 * Where tables live: a folder now, a bucket later.
 * Every write is whole or not at all, and durable when its promise resolves.
 */
export type Store = {
  /** All objects under a prefix, at any depth, sorted by key; a prefix that holds nothing gives none. */
  list(prefix: string): Promise<StoredObject[]>;
  /** The object's bytes; `undefined` where there is none. */
  read(key: string): Promise<Buffer | undefined>;
  /** Replaces the object. Only for hints that may be lost, never for a commit. */
  write(key: string, bytes: Uint8Array): Promise<void>;
  /** Writes the object unless there is one; `false` if there is. What a commit rests on. */
  writeIfAbsent(key: string, bytes: Uint8Array): Promise<boolean>;
  /** Moves a finished local file into place under a name nobody else uses; its size in bytes. */
  upload(key: string, localFile: string): Promise<number>;
  /** A local path at which DuckDB can read the object. */
  localPath(key: string): Promise<string>;
  /** A new local folder for files on their way, under the given prefix where the store is local. */
  scratch(prefix: string): Promise<string>;
  /** No error where there is none. */
  delete(key: string): Promise<void>;
  /** Deletes everything under the prefix. */
  deleteAll(prefix: string): Promise<void>;
};

/** Everything that is not a table's: staged parts by table and run, and files on their way. */
export const stagingFolder = '_staging';
/** Objects that are written here before they get their name. */
export const writesFolder = `${stagingFolder}/_writes`;
/** What DuckDB spills. */
export const spillFolder = `${stagingFolder}/_spill`;
