import { type Table, valueAt } from '../tables/table.ts';
import { type AnswerInLines, type OtherFields, parseBody } from './answer.ts';
import { CollectedRows } from './collected-rows.ts';
import { FastRows } from './fast/fast-rows.ts';
import { type MissingFields, sumOfMissing } from './missing-fields.ts';
import { type ResolvedRules, ruledColumns } from './column-rules.ts';
import { type Given, isRecord } from './rows.ts';

/**
 * Makes rows for DuckDB from the answers of a table's endpoint.
 *
 * `FastRows` copies nearly every record without parsing it, in less than a tenth of the time. It only saves time: parsing
 * every answer makes the same rows.
 */
export class AnswerRows {
  readonly #table: Table;
  readonly #rows: CollectedRows;
  /** Absent if rows have values that are not in their records. */
  readonly #fast: FastRows | undefined;
  #missing: MissingFields = {};

  readonly #withheld = new Set<string>();

  /** @param lookedFor ids of rows; each answer's lines say whether one of them is among them. */
  constructor(declared: Table, rules: ResolvedRules = {}, lookedFor: readonly string[] = []) {
    const { table, isStrict, ...hashing } = ruledColumns(declared, rules);
    this.#table = table;
    const { land: harmless = [] } = rules;
    const options = { harmless, withheld: this.#withheld, hashing, isStrict };
    this.#rows = new CollectedRows(table, options, lookedFor);
    const { parent, lists, fromAnswer } = table;
    this.#fast =
      parent || lists || fromAnswer
        ? undefined
        : new FastRows(table, this.#rows, { harmless, isStrict, hashing });
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
   * @param given values that come from the parent's row
   *
   * Throws `SyntaxError` if the text is not JSON, and `RecordShapeError` for a record without its key.
   */
  read(text: Buffer, pass: string | undefined, before: number, given: Given = {}): AnswerInLines {
    const { count, rest } = this.#fast?.read(text, pass, before) ?? this.#parsed(text, pass, before, given);
    if (count === undefined) return { lines: undefined, rest };
    const { lines, longest, hasExtras, found, missing } = this.#rows;
    this.#missing = sumOfMissing(this.#missing, missing);
    return { lines: { bytes: lines.bytes, count, longest, hasExtras, found }, rest };
  }

  #parsed(text: Buffer, pass: string | undefined, before: number, given: Given) {
    this.#rows.restart();
    const { [this.#table.records]: found, ...rest } = parseBody(text) ?? {};
    const lists = this.#listsIn(found);
    if (!lists) return { count: undefined, rest };
    const beside = this.#besideRecords(rest);
    let count = 0;
    for (const { records, name } of lists) {
      for (const record of records) {
        count += 1;
        this.#rows.addRecord(record, pass, before + count, { ...given, ...beside, ...name });
      }
    }
    return { count, rest };
  }

  /** The lists of records that are under the table's key; null counts as an empty one. */
  #listsIn(
    found: unknown,
  ): readonly { readonly records: readonly unknown[]; readonly name?: Given }[] | undefined {
    const { lists } = this.#table;
    if (found === null) return [];
    if (!lists) return Array.isArray(found) ? [{ records: found }] : undefined;
    if (!isRecord(found)) return undefined;
    // A list that the vendor adds later has rows too.
    return Object.entries(found).flatMap(([name, records]) =>
      Array.isArray(records) ? [{ records, name: { [lists.column]: name } }] : [],
    );
  }

  #besideRecords(rest: OtherFields): Given {
    const paths = Object.entries(this.#table.fromAnswer ?? {});
    return Object.fromEntries(paths.map(([column, path]) => [column, valueAt(rest, path)]));
  }
}
