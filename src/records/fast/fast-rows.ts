import { isUtf8 } from 'node:buffer';

import type { Table } from '../../tables/table.ts';
import type { OtherFields } from '../answer.ts';
import { type CollectedRows, requiredFields } from '../collected-rows.ts';
import { parseJson } from '../json.ts';
import { knownFields, type RowOptions, unknownCell } from '../rows.ts';
import { looksSecret } from '../secret-names.ts';
import { Secrets } from '../secrets.ts';
import { fieldKey, furtherColumn, furtherFields, unknownColumn } from '../unknown-fields.ts';
import { isCell } from './cells.ts';
import { Field, type Source, type Sources, sourcesOf } from './fields.ts';
import { JsonScanner, NotScanned } from './json-scanner.ts';

type UnknownCells = { [key: string]: string };

/**
 * Makes rows without parsing: the bytes of nearly every record are a row already, except for the columns whose value
 * is inside another field. A record with anything that is not as declared is parsed; an answer that the scanner
 * cannot judge is refused as a whole.
 */
export class FastRows {
  readonly #table: Table;
  readonly #rows: CollectedRows;
  readonly #sources: Sources;
  readonly #secrets: Secrets;
  readonly #hash: ((value: string) => string) | undefined;
  readonly #required: readonly Source[];
  /** The sources of the key columns; a pass that is part of the key has none. */
  readonly #key: readonly Source[];
  /** The source of the id, if rows are looked for. */
  readonly #id: Source | undefined;
  /** What every row ends with in a table that is read in passes, before the pass's value. */
  readonly #passHead: string;
  /** Represents every undeclared field; no column needs it. */
  readonly #undeclared = new Field('');
  /** Undeclared fields of the current record. */
  #unknown: UnknownCells | undefined;
  /** Runs on over all answers, because each `Field` remembers the number of the record it was last found in. */
  #scanned = 0;

  /** @param rows where the rows of each answer are collected; another way may replace them. */
  constructor(table: Table, rows: CollectedRows, { hashing, ...options }: Omit<RowOptions, 'withheld'> = {}) {
    this.#table = table;
    this.#rows = rows;
    this.#hash = hashing?.hash;
    this.#secrets = new Secrets(table, knownFields(table), options);
    this.#sources = sourcesOf(table, this.#secrets, hashing?.hashed);
    const { own, nested, hashed } = this.#sources;
    const required = new Set(requiredFields(table));
    this.#required = [...own, ...hashed].filter(({ name }) => required.has(name));
    this.#key = [...own, ...nested, ...hashed].filter(({ name }) => table.primaryKey.includes(name));
    this.#id = rows.isLooking ? this.#key.find(({ name }) => name === 'id') : undefined;
    this.#passHead = `,${JSON.stringify(table.passes?.column ?? '')}:`;
  }

  /** How many records the answer has, and its other fields; `undefined` if it needs a complete parser. */
  read(
    text: Buffer,
    pass: string | undefined,
    before: number,
  ): { readonly count: number | undefined; readonly rest: OtherFields } | undefined {
    if (!isUtf8(text)) return undefined;
    this.#rows.restart();
    const scanner = new JsonScanner(text, this.#scanned);
    try {
      return this.#answer(scanner, pass, before);
    } catch (error) {
      if (error instanceof NotScanned) return undefined;
      throw error;
    } finally {
      this.#scanned = scanner.record;
    }
  }

  #answer(scanner: JsonScanner, pass: string | undefined, before: number) {
    const { bytes } = scanner;
    const rest = Object.create(null) as { [field: string]: unknown };
    let count: number | undefined;
    let at = scanner.past(0, 0x7b);
    for (;;) {
      if (bytes[at] !== 0x22) return undefined;
      scanner.odd = false;
      const end = scanner.name(at + 1);
      const name = bytes.toString('utf8', at + 1, end);
      const from = scanner.past(end + 1, 0x3a);
      if (scanner.odd) return undefined;
      if (name !== this.#table.records) {
        at = scanner.value(from, new Field(''));
        rest[name] = parseJson(bytes.toString('utf8', from, at));
      } else if (count === undefined) {
        [at, count] = this.#records(scanner, from, pass, before);
      } else return undefined;
      at = scanner.space(at);
      if (bytes[at] === 0x7d) break;
      at = scanner.past(at, 0x2c);
    }
    return scanner.ends(at + 1) ? { count, rest } : undefined;
  }

  #records(
    scanner: JsonScanner,
    from: number,
    pass: string | undefined,
    before: number,
  ): [end: number, count: number] {
    const { bytes } = scanner;
    // null is an empty list.
    if (bytes[from] === 0x6e) return [scanner.value(from, this.#undeclared), 0];
    let at = scanner.past(from, 0x5b);
    let count = 0;
    if (bytes[at] === 0x5d) return [at + 1, count];
    for (;;) {
      count += 1;
      at = scanner.space(this.#record(scanner, at, pass, before + count));
      if (bytes[at] === 0x5d) return [at + 1, count];
      at = scanner.past(at, 0x2c);
    }
  }

  /** Adds the row of the record at `start`. */
  #record(scanner: JsonScanner, start: number, pass: string | undefined, position: number): number {
    const { bytes } = scanner;
    const { lines } = this.#rows;
    const line = lines.length;
    if (bytes[start] !== 0x7b) throw new NotScanned();
    scanner.record += 1;
    scanner.odd = false;
    this.#unknown = undefined;
    lines.addByte(0x7b);
    const end = this.#copyFields(scanner, scanner.space(start + 1)) + 1;
    if (!this.#isAsDeclared(scanner)) {
      lines.length = line;
      this.#rows.addRecord(parseJson(bytes.toString('utf8', start, end)), pass, position);
      return end;
    }
    this.#addOtherCells(scanner, pass);
    lines.addByte(0x7d);
    this.#rows.endRow(line);
    if (this.#id) this.#rows.has(valueOf(this.#id.field, bytes));
    this.#countMissing(scanner, pass);
    return end;
  }

  /**
   * Copies the declared fields of a record, from its first one on.
   * @returns the position of the record's closing brace.
   */
  #copyFields(scanner: JsonScanner, first: number): number {
    const { bytes } = scanner;
    const { lines } = this.#rows;
    const empty = lines.length;
    let at = first;
    let previous: Field | undefined;
    // Neighbours that all go into the line are copied at once.
    let runFrom = -1;
    let runTo = -1;
    while (bytes[at] !== 0x7d) {
      if (bytes[at] !== 0x22) throw new NotScanned();
      const field = this.#fieldAt(scanner, at, previous);
      const nameTo = field ? at + field.length : scanner.name(at + 1) + 1;
      const from = scanner.past(nameTo, 0x3a);
      const to = scanner.value(from, field ?? this.#undeclared);
      if (field) {
        if (!field.found(scanner.record, scanner.kind, from, to)) scanner.odd = true;
        previous = field;
      }
      if (field?.isCopied) {
        if (runFrom < 0) runFrom = at;
        runTo = to;
      } else {
        if (runFrom >= 0) this.#copyRun(bytes, empty, runFrom, runTo);
        runFrom = -1;
        if (!field) this.#addUnknown(scanner, bytes.toString('utf8', at + 1, nameTo - 1), from, to);
      }
      at = scanner.space(to);
      if (bytes[at] === 0x7d) break;
      at = scanner.past(at, 0x2c);
      // A comma before the closing brace.
      if (bytes[at] === 0x7d) throw new NotScanned();
    }
    if (runFrom >= 0) this.#copyRun(bytes, empty, runFrom, runTo);
    return at;
  }

  #copyRun(bytes: Buffer, empty: number, from: number, to: number): void {
    const { lines } = this.#rows;
    if (lines.length > empty) lines.addByte(0x2c);
    lines.copy(bytes, from, to);
  }

  /** The declared field whose name begins with this quote, most likely the one that followed `previous` last time. */
  #fieldAt(scanner: JsonScanner, at: number, previous: Field | undefined): Field | undefined {
    const { bytes } = scanner;
    const likely = previous?.next;
    if (likely && scanner.isNamed(likely, at)) return likely;
    const field = this.#sources.fields.get(bytes.toString('utf8', at + 1, scanner.name(at + 1)));
    if (previous && field) previous.next = field;
    return field;
  }

  #addUnknown(scanner: JsonScanner, name: string, from: number, to: number): void {
    // A record with something odd is parsed anyway.
    if (scanner.kind === 'null' || scanner.odd || this.#secrets.isWhole(name)) return;
    const value: unknown = JSON.parse(scanner.bytes.toString('utf8', from, to));
    if (this.#secrets.areInside(name) || this.#secrets.withholdsUndeclared(name) || looksSecret(name, value))
      scanner.odd = true;
    const key = fieldKey(name);
    // Without a prototype, because a field may be called __proto__.
    this.#unknown ??= Object.create(null) as UnknownCells;
    if (key in this.#unknown) scanner.odd = true;
    this.#unknown[key] = unknownCell(value);
  }

  /** Whether the columns accept the bytes of the record's values as they are. */
  #isAsDeclared(scanner: JsonScanner): boolean {
    const { record, bytes, odd } = scanner;
    if (odd) return false;
    for (const { field } of this.#key) {
      const isEmptyText = field.kind === 'text' && field.to - field.from <= 2;
      if (!field.isIn(record) || field.kind === 'null' || isEmptyText) return false;
    }
    const fits = ({ type, field }: Source) => !field.isIn(record) || isCell(type, field, bytes);
    const { own, nested, hashed } = this.#sources;
    return own.every(fits) && nested.every(fits) && hashed.every(fits);
  }

  /** Adds the cells of a row that are not fields of the record. */
  #addOtherCells({ record, bytes }: JsonScanner, pass: string | undefined): void {
    const { lines } = this.#rows;
    for (const { field, head } of this.#sources.nested) {
      if (!field.isIn(record) || field.kind === 'null') continue;
      lines.copy(head, 0, head.length);
      lines.copy(bytes, field.from, field.to);
    }
    for (const { field, head } of this.#sources.hashed) {
      if (!field.isIn(record) || field.kind === 'null' || !this.#hash) continue;
      lines.copy(head, 0, head.length);
      lines.add(`"${this.#hash(valueOf(field, bytes) as string)}"`);
    }
    if (pass !== undefined) lines.add(this.#passHead + JSON.stringify(pass));
    if (!this.#unknown) return;
    this.#rows.hasExtras = true;
    lines.add(`,"${unknownColumn}":${JSON.stringify(this.#unknown)}`);
    const further = furtherFields(this.#unknown);
    if (further !== undefined) lines.add(`,"${furtherColumn}":${JSON.stringify(further)}`);
  }

  #countMissing(scanner: JsonScanner, pass: string | undefined): void {
    for (const { name, field } of this.#required) {
      if (field.isIn(scanner.record) && field.kind !== 'null') continue;
      this.#rows.lacks(name, () =>
        this.#table.primaryKey.map((column) => {
          const source = this.#key.find((key) => key.name === column);
          return source ? valueOf(source.field, scanner.bytes) : pass;
        }),
      );
    }
  }
}

function valueOf({ from, to }: Field, bytes: Buffer): unknown {
  return JSON.parse(bytes.toString('utf8', from, to));
}
