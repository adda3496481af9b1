import type { ParentColumns, SeenVersion } from './committed-rows.ts';
import type { Part } from './part.ts';

/** The rows of a table whose time in a column is in one of these ranges. */
export type ReplacedTimes = {
  /** A timestamp column. */
  readonly column: string;
  /** Milliseconds since the epoch; `to` is not included. */
  readonly ranges: readonly { readonly from: number; readonly to: number }[];
};

/** The rows that begin before `to` and end after `from`, milliseconds since the epoch. */
export type ReplacedOverlap = {
  /** Timestamp columns. */
  readonly start: string;
  readonly end: string;
  readonly from: number;
  readonly to: number;
};

/**
 * The rows of parents that were read as a whole, and those whose parent is gone. Rows of all other parents stay. A
 * staged row replaces the table's even if it is older: the rows of one parent come from one reading.
 */
export type ReplacedParents = {
  /** The columns that hold the parent's key, in the order of `alive.key`. */
  readonly by: ParentColumns;
  /** The keys of the parents that were read, as `createKeys` staged them. */
  readonly read: readonly Part[];
  /** If given, only rows that overlap this time are replaced: the parents were not read for other times. */
  readonly within?: ReplacedOverlap;
  /** Rows whose parent is gone stay: the table has a list of its own, and may be ahead of the parent's. */
  readonly keepsOthers?: true;
  /** A version of the parent's table: a row whose parent is not in it is dropped. */
  readonly alive: SeenVersion & {
    readonly table: string;
    /** The columns of its key. */
    readonly key: ParentColumns;
  };
};

export type Replaced = ReplacedTimes | ReplacedParents;
