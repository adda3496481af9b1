import { isUtf8 } from 'node:buffer';

import { parseJson } from './json.ts';
import type { ColumnType, Table } from '../tables/table.ts';
import { Field, JsonScanner, NotScanned } from './json-scanner.ts';
import { fieldKey, isRecord, rowMaker, type RowMaker, unknownCell, unknownColumn } from './rows.ts';
import { isUtcTime } from './timestamps.ts';
import type { Missing, Taken } from '../warehouse/warehouse.ts';

/** A declared column, and the field that fills it. */
type Source = { readonly name: string; readonly type: ColumnType; readonly field: Field };

/** Characters of an id in a report. */
const idLength = 100;

/**
 * Makes rows for DuckDB of the answers to a table's endpoint, a line of JSON a record. Nearly every record is one
 * already but for the values that columns take from below: its bytes are copied, which costs a fifth of parsing it
 * and writing it again. A record with anything in it that is not as declared is left to `rowMaker`; so is a whole
 * answer that the scanner does not take.
 */
export class AnswerRows {
  /** Of the answer read last: a line a row. The next one overwrites them. */
  readonly lines = new Lines();
  /** Bytes of the longest line of all answers. */
  longest = 0;
  /** By column: rows of all answers that lack a field the vendor's reference requires. */
  readonly missing = new Map<string, Missing>();

  readonly #table: Table;
  readonly #makeRow: RowMaker;
  readonly #fields: ReadonlyMap<string, Field>;
  readonly #own: readonly Source[];
  /** Columns whose values are taken from below, with what stands before the value in a line. */
  readonly #fromBelow: readonly (Source & { readonly head: Buffer })[];
  readonly #required: readonly Source[];
  readonly #id: Field;
  /** The same as `missing`, of the answer that is being read. */
  #missingHere = new Map<string, Missing>();
  /** Records of all answers: a field remembers the number of the record it stood in last, whatever the answer. */
  #scanned = 0;

  constructor(table: Table) {
    this.#table = table;
    this.#makeRow = rowMaker(table);
    const columns = Object.entries(table.columns).filter(([name]) => name !== table.passes?.column);
    const paths = columns.flatMap(([, { from }]) => (from ? [from] : []));
    const own = columns.filter(([, { from }]) => from === undefined);
    this.#fields = new Map(own.map(([name]) => [name, fieldAt([name], paths)]));
    this.#own = own.map(([name, { type }]) => ({ name, type, field: this.#fields.get(name)! }));
    this.#required = this.#own.filter(({ name }) => table.columns[name]?.required);
    this.#id = this.#fields.get('id')!;
    this.#fromBelow = columns.flatMap(([name, { type, from }]) => {
      if (!from) return [];
      const field = from
        .slice(1)
        .reduce(
          (above, step) => above.below.find(({ name }) => name.equals(Buffer.from(step)))!,
          this.#fields.get(from[0])!,
        );
      return [{ name, type, field, head: Buffer.from(`,${JSON.stringify(name)}:`) }];
    });
  }

  /**
   * @param answer the text of an answer
   * @param pass the value of the table's pass
   * @param before rows of the batch that came earlier, for errors
   * Throws `SyntaxError` where it is no JSON, and `RecordShapeError` for a record without a key.
   */
  read(answer: Buffer, pass: string | undefined, before: number): Taken {
    const taken = this.#scan(answer, pass, before) ?? this.#parse(answer, pass, before);
    for (const [column, { rows, first }] of this.#missingHere) {
      const earlier = this.missing.get(column);
      this.missing.set(column, earlier ? { ...earlier, rows: earlier.rows + rows } : { rows, first });
    }
    return taken;
  }

  #restart(): void {
    this.lines.length = 0;
    this.#missingHere = new Map();
  }

  /** `undefined` where the answer needs a whole parser. */
  #scan(answer: Buffer, pass: string | undefined, before: number): Taken | undefined {
    if (!isUtf8(answer)) return undefined;
    this.#restart();
    const scanner = new JsonScanner(answer, this.#scanned);
    const rest = Object.create(null) as { [field: string]: unknown };
    let records: number | undefined;
    try {
      let at = scanner.past(0, 0x7b);
      for (;;) {
        if (answer[at] !== 0x22) return undefined;
        scanner.odd = false;
        const end = scanner.name(at + 1);
        const name = answer.toString('utf8', at + 1, end);
        const from = scanner.past(end + 1, 0x3a);
        if (scanner.odd) return undefined;
        if (name !== this.#table.records) {
          at = scanner.value(from);
          rest[name] = parseJson(answer.toString('utf8', from, at));
        } else if (records === undefined) {
          [at, records] = this.#records(scanner, from, pass, before);
        } else return undefined;
        at = scanner.space(at);
        if (answer[at] === 0x7d) break;
        at = scanner.past(at, 0x2c);
      }
      return scanner.ends(at + 1) ? { records, rest } : undefined;
    } catch (error) {
      if (error instanceof NotScanned) return undefined;
      throw error;
    } finally {
      this.#scanned = scanner.record;
    }
  }

  #records(
    scanner: JsonScanner,
    from: number,
    pass: string | undefined,
    before: number,
  ): [end: number, count: number] {
    const { bytes } = scanner;
    let at = scanner.past(from, 0x5b);
    let count = 0;
    if (bytes[at] === 0x5d) return [at + 1, count];
    for (;;) {
      at = scanner.space(this.#record(scanner, at, pass, before + count));
      count += 1;
      if (bytes[at] === 0x5d) return [at + 1, count];
      at = scanner.past(at, 0x2c);
    }
  }

  /** Adds the line of one record. */
  #record(scanner: JsonScanner, start: number, pass: string | undefined, before: number): number {
    const { bytes } = scanner;
    const { lines } = this;
    const line = lines.length;
    if (bytes[start] !== 0x7b) throw new NotScanned();
    scanner.record += 1;
    scanner.odd = false;
    lines.addByte(0x7b);
    // Fields side by side that all go into the line are copied at once.
    let runFrom = -1;
    let runTo = -1;
    let unknown: { [key: string]: unknown } | undefined;
    let previous: Field | undefined;
    let at = scanner.space(start + 1);
    while (bytes[at] !== 0x7d) {
      if (bytes[at] !== 0x22) throw new NotScanned();
      let field = previous?.next;
      let nameTo = field ? at + 1 + field.name.length : at;
      if (!field || bytes[nameTo] !== 0x22 || !scanner.names(field, at + 1, nameTo)) {
        nameTo = scanner.name(at + 1);
        field = this.#fields.get(bytes.toString('utf8', at + 1, nameTo));
        if (previous && field) previous.next = field;
      }
      const from = scanner.past(nameTo + 1, 0x3a);
      const to = scanner.value(from, field?.below);
      if (field) {
        if (!field.stood(scanner.record, scanner.kind, from, to)) scanner.odd = true;
        if (runFrom < 0) runFrom = at;
        runTo = to;
        previous = field;
      } else {
        if (runFrom >= 0) this.#addRun(bytes, line, runFrom, runTo);
        runFrom = -1;
        if (scanner.kind !== 'null' && !scanner.odd) {
          const key = fieldKey(bytes.toString('utf8', at + 1, nameTo));
          // Without a prototype: a field may be called __proto__.
          unknown ??= Object.create(null) as { [key: string]: unknown };
          if (key in unknown) scanner.odd = true;
          unknown[key] = unknownCell(JSON.parse(bytes.toString('utf8', from, to)));
        }
      }
      at = scanner.space(to);
      if (bytes[at] === 0x7d) break;
      at = scanner.past(at, 0x2c);
      // A comma before the end.
      if (bytes[at] === 0x7d) throw new NotScanned();
    }
    const end = at + 1;
    if (runFrom >= 0) this.#addRun(bytes, line, runFrom, runTo);
    if (!this.#isAsDeclared(scanner)) {
      lines.length = line;
      this.#addMade(parseJson(bytes.toString('utf8', start, end)), pass, before);
      return end;
    }
    for (const { field, head } of this.#fromBelow) {
      if (!field.isIn(scanner.record) || field.kind === 'null') continue;
      lines.copy(head, 0, head.length);
      lines.copy(bytes, field.from, field.to);
    }
    if (pass !== undefined)
      lines.add(`,${JSON.stringify(this.#table.passes?.column)}:${JSON.stringify(pass)}`);
    if (unknown) lines.add(`,"${unknownColumn}":${JSON.stringify(unknown)}`);
    lines.addByte(0x7d);
    lines.addByte(0x0a);
    this.longest = Math.max(this.longest, lines.length - line);
    for (const { name, field } of this.#required) {
      if (field.isIn(scanner.record) && field.kind !== 'null') continue;
      const { from, to } = this.#id;
      this.#lacks(name, () => JSON.parse(bytes.toString('utf8', from, to)) as string);
    }
    return end;
  }

  #addRun(bytes: Buffer, line: number, from: number, to: number): void {
    if (this.lines.length > line + 1) this.lines.addByte(0x2c);
    this.lines.copy(bytes, from, to);
  }

  /** Whether the bytes of the record's values are what its columns take. */
  #isAsDeclared(scanner: JsonScanner): boolean {
    const { record, bytes, odd } = scanner;
    const fits = ({ type, field }: Source) => !field.isIn(record) || isCell(type, field, bytes);
    const { kind, from, to } = this.#id;
    const hasId = this.#id.isIn(record) && kind === 'text' && to - from > 2;
    return !odd && hasId && this.#own.every(fits) && this.#fromBelow.every(fits);
  }

  #parse(answer: Buffer, pass: string | undefined, before: number): Taken {
    this.#restart();
    // Strips a byte order mark.
    const body = parseJson(new TextDecoder().decode(answer));
    if (!isRecord(body)) return { records: undefined, rest: {} };
    const { [this.#table.records]: records, ...rest } = body;
    if (!Array.isArray(records) || records.some((record) => typeof record !== 'object' || record === null)) {
      return { records: undefined, rest };
    }
    records.forEach((record, index) => this.#addMade(record, pass, before + index));
    return { records: records.length, rest };
  }

  #addMade(record: unknown, pass: string | undefined, before: number): void {
    const { lines } = this;
    const line = lines.length;
    lines.add(this.#makeRow(record, pass, () => `${this.#table.name}: record ${before + 1} of the batch`));
    lines.addByte(0x0a);
    this.longest = Math.max(this.longest, lines.length - line);
    const fields = record as { readonly [field: string]: unknown };
    for (const { name } of this.#required) {
      if ((fields[name] ?? null) === null) this.#lacks(name, () => fields['id'] as string);
    }
  }

  #lacks(column: string, id: () => string): void {
    const earlier = this.#missingHere.get(column);
    this.#missingHere.set(
      column,
      earlier ? { ...earlier, rows: earlier.rows + 1 } : { rows: 1, first: id().slice(0, idLength) },
    );
  }
}

/** Bytes that grow at their end. */
class Lines {
  length = 0;
  #bytes = Buffer.allocUnsafe(2 ** 16);

  /** As far as they are filled; overwritten by what is added after `length` was set back. */
  get filled(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  copy(source: Buffer, from: number, to: number): void {
    this.#makeRoom(to - from);
    source.copy(this.#bytes, this.length, from, to);
    this.length += to - from;
  }

  addByte(byte: number): void {
    this.#makeRoom(1);
    this.#bytes[this.length] = byte;
    this.length += 1;
  }

  add(text: string): void {
    // More than UTF-8 can take.
    this.#makeRoom(text.length * 3);
    this.length += this.#bytes.write(text, this.length);
  }

  #makeRoom(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe((this.length + more) * 2);
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
  }
}

/** The field a path ends at, with the fields below it that other paths go on to. */
function fieldAt(path: readonly string[], paths: readonly (readonly string[])[]): Field {
  const steps = paths
    .filter((other) => other.length > path.length && path.every((step, index) => other[index] === step))
    .map((other) => other[path.length]!);
  return new Field(
    path.at(-1)!,
    [...new Set(steps)].map((step) => fieldAt([...path, step], paths)),
  );
}

/** Whether a value's bytes are what DuckDB reads as the cell of such a column. */
function isCell(type: ColumnType, { kind, from, to }: Field, bytes: Buffer): boolean {
  if (kind === 'null') return true;
  switch (type) {
    case 'text':
      return kind === 'text';
    case 'json':
      return kind === 'object' || kind === 'array';
    case 'boolean':
      return kind === 'boolean';
    case 'double':
      return kind === 'integer' || kind === 'fraction';
    case 'bigint':
      return kind === 'integer';
    case 'timestamp':
      return kind === 'text' && isUtcTime(bytes, from + 1, to - 1);
  }
}
