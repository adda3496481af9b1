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
  /** The file is made like a data file, and becomes one if all its rows are new. Its statistics are staged next to it. */
  readonly isDataFile?: true;
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

export type PartOptions = {
  /** There is no table yet, so all rows are new: a large part is written as a data file right away. */
  readonly isFirst?: boolean;
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
