import type { ColumnType, Table } from '../../tables/table.ts';
import { secrecyOf } from '../secret-names.ts';
import type { Secrets } from '../secrets.ts';

/** The kind of a JSON value. */
export type Kind = 'null' | 'boolean' | 'integer' | 'fraction' | 'text' | 'object' | 'array';

/** The names of an object may be data: more of them are not remembered. */
const mostRemembered = 200;

/**
 * A field of records, or of an object inside them. It remembers which field came next to it the last time: most
 * likely it comes next again, and then comparing its name takes no longer than finding where the name ends.
 */
export class Field {
  /** Bytes of its name with the quotes. */
  readonly length: number;
  /** The name with the quotes, four bytes at a time; the last four may overlap others. None for a shorter name. */
  readonly words: Int32Array;
  /**
   * A record that has the field below its own is parsed: always if the name has an escape or names a secret, or only
   * if its value is text or a list, which may be a secret then.
   */
  readonly odd: 'always' | 'text' | undefined;
  /** There may be declared secrets in its value. */
  readonly hasSecrets: boolean;
  /** Some column's value is in it, so it must not occur twice in an object. */
  isNeeded = false;
  /** It goes into the row as it is; otherwise only the value of some column is taken from it. */
  isCopied = true;
  /** The field that followed it last time. */
  next: Field | undefined;
  /** The first field of its value, if that was an object last time. */
  first: Field | undefined;
  kind: Kind = 'null';
  from = 0;
  to = 0;
  readonly #below = new Map<string, Field>();
  #items: Field | undefined;
  #seen = 0;

  constructor(name: string, hasSecrets = false) {
    const quoted = Buffer.from(`"${name}"`);
    this.length = quoted.length;
    this.words = wordsOf(quoted);
    const secrecy = secrecyOf(name);
    this.odd = name.includes('\\') || secrecy === 'any' ? 'always' : secrecy;
    this.hasSecrets = hasSecrets;
  }

  /** The field of its value with this name, as it is written. */
  below(name: string): Field {
    let field = this.#below.get(name);
    if (!field) {
      field = new Field(name);
      if (this.#below.size < mostRemembered) this.#below.set(name, field);
    }
    return field;
  }

  /** The same, as one that some column needs. */
  needed(name: string): Field {
    const field = this.below(name);
    field.isNeeded = true;
    return field;
  }

  /** The items of its value, all of them together. */
  get items(): Field {
    return (this.#items ??= new Field(''));
  }

  /** Whether the record with this number has the field. */
  isIn(record: number): boolean {
    return this.#seen === record;
  }

  /** Notes where the value is. @returns false if this record had the field before. */
  found(record: number, kind: Kind, from: number, to: number): boolean {
    const first = this.#seen !== record;
    this.#seen = record;
    this.kind = kind;
    this.from = from;
    this.to = to;
    return first;
  }
}

function wordsOf(bytes: Buffer): Int32Array {
  if (bytes.length < 4) return new Int32Array();
  const count = Math.ceil(bytes.length / 4);
  return Int32Array.from({ length: count }, (_, i) => bytes.readInt32LE(Math.min(i * 4, bytes.length - 4)));
}

/** A declared column, and the field that fills it. */
export type Source = {
  readonly name: string;
  readonly type: ColumnType;
  readonly field: Field;
  /** What precedes the value in a line, unless the field is copied as it is. */
  readonly head: Buffer;
};

/** The fields that fill a table's columns. */
export type Sources = {
  /** The record's own fields by name. */
  readonly fields: ReadonlyMap<string, Field>;
  /** Columns that are a field of the record. */
  readonly own: readonly Source[];
  /** Columns whose value is inside another field. */
  readonly nested: readonly Source[];
  /** Columns whose value is written as a hash. */
  readonly hashed: readonly Source[];
};

/** @param hashed the columns whose value is written as a hash */
export function sourcesOf(table: Table, secrets: Secrets, hashed: ReadonlySet<string> = new Set()): Sources {
  const columns = Object.entries(table.columns).filter(([name]) => name !== table.passes?.column);
  const fields = new Map<string, Field>();
  const fieldOf = (name: string) => {
    const known = fields.get(name) ?? new Field(name, secrets.areInside(name));
    fields.set(name, known);
    return known;
  };
  // All have the same properties in the same order, which makes reading them in every row fast.
  const source = (name: string, type: ColumnType, field: Field): Source => ({
    name,
    type,
    field,
    head: Buffer.from(`,${JSON.stringify(name)}:`),
  });
  const own = columns
    .filter(([, { from }]) => from === undefined)
    .map(([name, { type }]) => source(name, type, fieldOf(name)));
  const copied = new Set(own.filter(({ name }) => !hashed.has(name)).map(({ name }) => name));
  const nested = columns.flatMap(([name, { type, from }]) => {
    if (!from) return [];
    const [first, ...steps] = from;
    const field = steps.reduce((above, step) => above.needed(step), fieldOf(first));
    return [source(name, type, field)];
  });
  for (const [name, field] of fields) field.isCopied = copied.has(name);
  return {
    fields,
    own: own.filter(({ name }) => !hashed.has(name)),
    nested: nested.filter(({ name }) => !hashed.has(name)),
    hashed: [...own, ...nested].filter(({ name }) => hashed.has(name)),
  };
}
