import type { ParentCondition, TableShape } from '../tables/table.ts';

/** A version of a table. A table that was deleted and made again has another id. */
export type SeenVersion = { readonly tableId: string; readonly version: number };

/** What happened to a table after a version: everything may have changed, nothing has, or rows written after a time. */
export type Changes = 'everything' | 'nothing' | { readonly since: number };

/** Which rows of a table to hand over, and which of their columns. */
export type RowsToRead = {
  readonly columns: readonly string[];
  /** Only rows written after this time, milliseconds since the epoch. */
  readonly since?: number;
  readonly signal: AbortSignal;
};

export type TypedRow = {
  /** The values of the columns, in their order, as DuckDB has them; null in a column that the table lacks. */
  readonly cells: readonly unknown[];
  /** When the row was last written, milliseconds since the epoch. */
  readonly syncedAt: number;
};

/** Which rows of a version of a parent's table a run reads the children of. */
export type ParentPick = SeenVersion & {
  /** Conditions that all of them meet. */
  readonly where?: readonly ParentCondition[];
  /** If left out, all parents that meet the conditions. Otherwise only those with one of these reasons. */
  readonly only?: {
    /** Its row was written after this time, milliseconds since the epoch. */
    readonly since: number;
    /** It meets all of these conditions; without conditions, this reason never applies. */
    readonly open: readonly ParentCondition[];
    /** Its turn came after `from`, until `to`; milliseconds since the epoch, less than a period apart. */
    readonly turn?: { readonly everyMs: number; readonly from: number; readonly to: number };
    /** It has one of these keys. */
    readonly left: readonly string[];
  };
};

/** A range of parents by their keys in byte order, excluding `after` and including `upTo`. */
export type ParentRange = { readonly after?: string; readonly upTo?: string; readonly count: number };

export type ParentRow = {
  readonly key: string;
  readonly values: { readonly [column: string]: string | null };
};

/** The parents that a reading by changes would have read. The child's rows hold their key in the column `by`. */
export type ComparedParents = {
  readonly table: TableShape;
  readonly by: string;
  readonly pick: ParentPick;
  /** Milliseconds since the epoch. */
  readonly completeTo: number;
};

export type ParentColumns = readonly [string, ...string[]];

/** How many rows of a table were created on each UTC day. */
export type RowsByDay = {
  /** By the day's number since the epoch. */
  readonly perDay: ReadonlyMap<number, number>;
  /** Rows without a time in the column. */
  readonly undated: number;
};
