import type { JsonLines } from '../records/answer.ts';

/** A staged part: the rows of one batch in one Parquet file, written once under a unique name. */
export type Part = {
  /** File name within the run's staging folder. */
  readonly name: string;
  readonly rows: number;
  /** Size of the Parquet file. */
  readonly bytes: number;
  /** Milliseconds since the epoch, like all times here. If a part is older than three days, the run plans again. */
  readonly stagedAt: number;
  /** The smallest `created_at` of its rows; missing if no row has one, and in parts of an earlier version. */
  readonly earliest?: number;
};

/** Collects the rows of one batch and stages them as one part. */
export type PartWriter = {
  /** Adds rows, one line of JSON each, as `records` makes them. The bytes may be overwritten once this has resolved. */
  add(lines: JsonLines): Promise<void>;
  /** The number of rows added so far. */
  readonly rows: number;
  /** The bytes of JSON collected so far. */
  readonly bytes: number;
  /** Writes the part; `undefined` if no row was added. */
  finish(): Promise<Part | undefined>;
  /** Deletes what was written so far. */
  abort(): Promise<void>;
};

/** Collects the keys of parents whose rows a batch has read as a whole, and stages them as one part. */
export type KeyWriter = {
  /** Adds keys: for each parent, the values of its key as text. */
  add(keys: readonly ParentKey[]): Promise<void>;
  /** Writes the part; `undefined` if no key was added. */
  finish(): Promise<Part | undefined>;
  /** Deletes what was written so far. */
  abort(): Promise<void>;
};

/** The values of a parent's key, in the order of its columns. */
export type ParentKey = readonly (string | null)[];
