import type { Column, Table, TableShape } from '../table.ts';

/** Where the items of a nested table are, and which values a row takes from around its item. */
export type ItemsOf = {
  /** The table whose rows hold the items. */
  readonly table: Table;
  /**
   * The path to the items, from a JSON column of that table on: `events[].users[]` · `totals{}` for the entries of an
   * object · `value|array_value[]` for items that are in one field or in the other. An item that is not an object is
   * treated as one with the field `value`.
   */
  readonly path: string;
  /** The columns that hold the other table's key, in the order of that key. */
  readonly by: readonly [string, ...string[]];
  /** The column for the item's place in its list, from 1. */
  readonly position?: string;
  /** The column for the place of the item further out. */
  readonly outerPosition?: string;
  /** The column for the name of the entry, with `{}` in the path. */
  readonly entry?: string;
  /** Columns whose value is in the item of the list further out, and where in it. */
  readonly outer?: { readonly [column: string]: readonly [string, ...string[]] };
};

/**
 * A table made from a list inside the rows of another table, without a request. It is written in that table's run,
 * after its commit. The list stays in its JSON column too.
 */
export type NestedTable = TableShape & { readonly itemsOf: ItemsOf };

/** Makes the compiler check a declaration: it refuses an undeclared column in the key or around an item. */
export function defineNested<const T extends NestedTable>(
  table: T & {
    readonly primaryKey: readonly (keyof T['columns'])[];
    readonly itemsOf: {
      readonly by: readonly (keyof T['columns'])[];
      readonly position?: keyof T['columns'];
      readonly outerPosition?: keyof T['columns'];
      readonly entry?: keyof T['columns'];
      readonly outer?: {
        readonly [C in keyof T['itemsOf']['outer']]: C extends keyof T['columns'] ? unknown : never;
      };
    };
  },
): NestedTable {
  return table;
}

/** The column for an item's place in its list. */
export const position: Column = { type: 'bigint', description: 'Place in the list, from 1.' };

/** A column that joins another table by its id. */
export function joins(table: string, from?: readonly [string, ...string[]]): Column {
  return { type: 'text', description: `Joins ${table}.id.`, ...(from && { from }) };
}

/** The name of the JSON column that a nested table is made from. */
export function sourceColumn({ itemsOf: { path } }: NestedTable): string {
  return /^[^.[{]+/.exec(path)![0];
}
