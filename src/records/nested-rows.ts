import { valueAt } from '../tables/table.ts';
import type { NestedTable } from '../tables/nested/nested.ts';
import type { JsonLines } from './answer.ts';
import { CollectedRows } from './collected-rows.ts';
import { type Item, type ItemFinder, itemFinder } from './items.ts';
import { columnValue, type Given } from './rows.ts';

/** Makes the rows of a nested table for DuckDB, from values of its JSON column. */
export class NestedRows {
  readonly #table: NestedTable;
  readonly #rows: CollectedRows;
  readonly #find: ItemFinder;
  #count = 0;
  #leftOut = 0;

  constructor(table: NestedTable) {
    this.#table = table;
    // The secrets were cut out of the column before it was staged.
    this.#rows = new CollectedRows(table, { harmless: 'all' });
    this.#find = itemFinder(table.itemsOf.path);
  }

  /** How many items had no value for a column of the key, and so cannot be rows. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /**
   * Adds the rows of one row of the other table.
   * @param key of that row, in the order of its columns
   * @param value of the JSON column, parsed
   */
  add(key: readonly unknown[], value: unknown): void {
    for (const item of this.#find(value)) {
      const given = this.#around(key, item);
      const cells = this.#table.primaryKey.map((column) =>
        columnValue(this.#table, column, item.record, undefined, given),
      );
      if (cells.some((cell) => (cell ?? '') === '')) {
        this.#leftOut += 1;
        continue;
      }
      this.#count += 1;
      this.#rows.addRecord(item.record, undefined, this.#count, given);
    }
  }

  /** The rows added since the last call, valid until the next row is added. */
  take(): JsonLines {
    const lines = { bytes: this.#rows.lines.bytes, count: this.#count, longest: this.#rows.longest };
    this.#count = 0;
    this.#rows.restart();
    return lines;
  }

  /** The values that a row takes from around its item. */
  #around(key: readonly unknown[], { position, entry, outer, outerPosition }: Item): Given {
    const { itemsOf } = this.#table;
    const given: { [column: string]: unknown } = {};
    itemsOf.by.forEach((column, n) => {
      given[column] = key[n];
    });
    if (itemsOf.position !== undefined) given[itemsOf.position] = position;
    if (itemsOf.outerPosition !== undefined) given[itemsOf.outerPosition] = outerPosition;
    if (itemsOf.entry !== undefined) given[itemsOf.entry] = entry;
    for (const [column, path] of Object.entries(itemsOf.outer ?? {})) {
      given[column] = outer && valueAt(outer, path);
    }
    return given;
  }
}
