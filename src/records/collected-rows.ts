import type { ApiRecord, TableShape } from '../tables/table.ts';
import { Lines } from './lines.ts';
import type { MissingField, MissingFields } from './missing-fields.ts';
import {
  columnValue,
  type Given,
  isOutside,
  rawColumn,
  rowMaker,
  type RowMaker,
  type RowOptions,
} from './rows.ts';
import { unknownColumn } from './unknown-fields.ts';

/** How a field of a row begins if it is not a declared column. */
const extraFields = [rawColumn, unknownColumn].map((column) => `"${column}":`);

/** Characters of a row's key in a report. */
const keyLength = 100;

/** The rows made from one answer so far. */
export class CollectedRows {
  /** One line of JSON per row. */
  readonly lines = new Lines();
  /** Bytes of the longest of them. */
  longest = 0;
  /** Whether any of them has more than values of declared columns. */
  hasExtras = false;
  /** Whether a row that is looked for is among them. */
  found = false;
  /** Ids of rows that are looked for. */
  readonly #lookedFor: ReadonlySet<unknown>;
  readonly #table: TableShape;
  readonly #makeRow: RowMaker;
  readonly #required: readonly string[];
  #missing: { [column: string]: MissingField } = {};

  constructor(table: TableShape, options: RowOptions = {}, lookedFor: readonly string[] = []) {
    this.#table = table;
    this.#lookedFor = new Set(lookedFor);
    this.#makeRow = rowMaker(table, options);
    this.#required = requiredFields(table);
  }

  /** Rows of this answer that lack a required field. */
  get missing(): MissingFields {
    return this.#missing;
  }

  /** Drops all rows: the next answer begins, or the same one is read again in another way. */
  restart(): void {
    this.lines.length = 0;
    this.longest = 0;
    this.hasExtras = false;
    this.found = false;
    this.#missing = {};
  }

  /**
   * Adds the row of a parsed record.
   * @param position of the record in its batch, from 1. Throws `RecordShapeError` for a record without its key.
   */
  addRecord(record: unknown, pass: string | undefined, position: number, given: Given = {}): void {
    const { name: table, primaryKey } = this.#table;
    const start = this.lines.length;
    const row = this.#makeRow(record, pass, () => `${table}: record ${position} of the batch`, given);
    // A nested field with such a name counts as well, which only costs a second write.
    this.hasExtras ||= extraFields.some((field) => row.includes(field));
    this.lines.add(row);
    this.endRow(start);
    if (this.isLooking) this.has(columnValue(this.#table, 'id', record as ApiRecord, pass, given));
    const fields = record as { readonly [field: string]: unknown };
    for (const name of this.#required) {
      if ((fields[name] ?? null) !== null) continue;
      this.lacks(name, () =>
        primaryKey.map((column) => columnValue(this.#table, column, fields, pass, given)),
      );
    }
  }

  /** Whether rows are looked for: then `has` must be called with the id of each row. */
  get isLooking(): boolean {
    return this.#lookedFor.size > 0;
  }

  has(id: unknown): void {
    if (this.#lookedFor.has(id)) this.found = true;
  }

  /** Ends the line of a row that begins at `start`. */
  endRow(start: number): void {
    this.lines.addByte(0x0a);
    this.longest = Math.max(this.longest, this.lines.length - start);
  }

  /** Counts a row without a required field. `key` gives the row's key, which only the first such row is asked for. */
  lacks(column: string, key: () => readonly unknown[]): void {
    const before = this.#missing[column];
    this.#missing[column] = before
      ? { rows: before.rows + 1, first: before.first }
      : { rows: 1, first: key().map(String).join(', ').slice(0, keyLength) };
  }
}

/** Fields of the record itself that the vendor's reference requires. */
export function requiredFields(table: TableShape): string[] {
  return Object.entries(table.columns)
    .filter(([name, { required, from }]) => required && from === undefined && !isOutside(table, name))
    .map(([name]) => name);
}
