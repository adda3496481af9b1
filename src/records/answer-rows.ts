import type { Table } from '../tables/table.ts';
import { type AnswerInLines, parseAnswer } from './answer.ts';
import { CollectedRows } from './collected-rows.ts';
import { FastRows } from './fast/fast-rows.ts';
import { type MissingFields, sumOfMissing } from './missing-fields.ts';
import type { RowOptions } from './rows.ts';

/**
 * Makes rows for DuckDB from the answers of a table's endpoint.
 *
 * `FastRows` copies nearly every record without parsing it, which takes a fifth of the time. It only saves time:
 * parsing every answer makes the same rows.
 */
export class AnswerRows {
  readonly #table: Table;
  readonly #rows: CollectedRows;
  readonly #fast: FastRows;
  #missing: MissingFields = {};

  readonly #withheld = new Set<string>();

  constructor(table: Table, options: Pick<RowOptions, 'harmless'> = {}) {
    this.#table = table;
    this.#rows = new CollectedRows(table, { ...options, withheld: this.#withheld });
    this.#fast = new FastRows(table, this.#rows);
  }

  /** Rows of all answers so far that lack a field the vendor's reference requires. */
  get missing(): MissingFields {
    return this.#missing;
  }

  /** Undeclared fields of all answers so far that were left out because their names look like those of secrets. */
  get withheld(): readonly string[] {
    return [...this.#withheld].sort();
  }

  /**
   * Makes the rows of an answer.
   * @param pass the value of the table's pass
   * @param before records of the batch that came earlier, for errors
   *
   * Throws `SyntaxError` if the text is not JSON, and `RecordShapeError` for a record without its key.
   */
  read(text: Buffer, pass: string | undefined, before: number): AnswerInLines {
    const { count, rest } = this.#fast.read(text, pass, before) ?? this.#parsed(text, pass, before);
    if (count === undefined) return { lines: undefined, rest };
    const { lines, longest, missing } = this.#rows;
    this.#missing = sumOfMissing(this.#missing, missing);
    return { lines: { bytes: lines.bytes, count, longest }, rest };
  }

  #parsed(text: Buffer, pass: string | undefined, before: number) {
    this.#rows.restart();
    const { records, rest } = parseAnswer(text, this.#table.records);
    records?.forEach((record, index) => this.#rows.addRecord(record, pass, before + index + 1));
    return { count: records?.length, rest };
  }
}
