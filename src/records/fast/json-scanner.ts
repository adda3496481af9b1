import { deepest } from '../deep-values.ts';
import type { Field, Kind } from './fields.ts';

/** The text is not JSON, or only a complete parser can judge it. */
export class NotScanned extends Error {}

/**
 * Walks over JSON in bytes and finds where values are without making them. Accepts nothing that JSON.parse would
 * refuse. Positions are byte indexes: each method takes the position of a value's first byte (`text`, `object` and
 * `array`: of the byte after it) and returns the position after the value. All throw `NotScanned`.
 */
export class JsonScanner {
  readonly bytes: Buffer;
  /** The same bytes, for looking at four of them at a time. */
  readonly #words: DataView;
  /** The kind of the value that `value` passed last. */
  kind: Kind = 'null';
  /** The number of the current record, which `Field` remembers: no two records may share one. */
  record: number;
  /**
   * Set when the bytes must not be copied as they are: they hold half a surrogate pair, a number that JavaScript or
   * DuckDB would write differently, an escape in a field's name, a needed field twice, a line break, or a field below
   * the record's own whose name looks like a secret's. The caller sets it back to false.
   */
  odd = false;

  /**
   * @param bytes valid UTF-8
   * @param record the number of the last record that was scanned for the same fields
   */
  constructor(bytes: Buffer, record: number) {
    this.bytes = bytes;
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.record = record;
  }

  /** The position after this character, which must come next, and the white space around it. */
  past(at: number, character: number): number {
    const { bytes } = this;
    // Compact JSON, as the API sends it, has no white space.
    if (bytes[at] === character && bytes[at + 1]! > 0x20) return at + 1;
    const start = this.space(at);
    if (bytes[start] !== character) throw new NotScanned();
    return this.space(start + 1);
  }

  space(at: number): number {
    const { bytes } = this;
    for (let i = at; i < bytes.length; i += 1) {
      const byte = bytes[i]!;
      if (byte > 0x20) return i;
      if (byte === 0x0a || byte === 0x0d) this.odd = true;
      else if (byte !== 0x20 && byte !== 0x09) break;
    }
    throw new NotScanned();
  }

  /** Whether only white space is left. */
  ends(at: number): boolean {
    return !/[^ \t\n\r]/.test(this.bytes.toString('latin1', at));
  }

  /** @param field whose value it is */
  value(at: number, field: Field, depth = 0): number {
    const { bytes } = this;
    let end: number;
    switch (bytes[at]!) {
      case 0x22: // "
        end = this.text(at + 1);
        this.kind = 'text';
        return end;
      case 0x7b: // {
        end = this.object(at + 1, field, depth + 1);
        this.kind = 'object';
        return end;
      case 0x5b: // [
        end = this.array(at + 1, field, depth + 1);
        this.kind = 'array';
        return end;
      case 0x74: // t
        this.kind = 'boolean';
        return this.#word(at, 'true');
      case 0x66: // f
        this.kind = 'boolean';
        return this.#word(at, 'false');
      case 0x6e: // n
        this.kind = 'null';
        return this.#word(at, 'null');
      default:
        return this.#number(at);
    }
  }

  text(at: number): number {
    const { bytes } = this;
    for (let i = this.#plain(at); i < bytes.length; i = this.#plain(i + 1)) {
      const byte = bytes[i]!;
      if (byte === 0x22) return i + 1;
      if (byte !== 0x5c) break;
      i = this.#escape(i + 1);
    }
    throw new NotScanned();
  }

  /** The position of the next quote, backslash or control character. */
  #plain(at: number): number {
    const { bytes } = this;
    const words = this.#words;
    const whole = bytes.length - 3;
    let i = at;
    for (; i < whole; i += 4) {
      const word = words.getInt32(i, true);
      const quote = word ^ 0x22222222;
      const backslash = word ^ 0x5c5c5c5c;
      // The highest bit of a byte is set if the byte is one of them. This is exact only up to the first such byte.
      const ends =
        (((quote - 0x01010101) & ~quote) |
          ((backslash - 0x01010101) & ~backslash) |
          ((word - 0x20202020) & ~word)) &
        0x80808080;
      if (ends !== 0) return i + ((31 - Math.clz32(ends & -ends)) >> 3);
    }
    for (; i < bytes.length; i += 1) {
      const byte = bytes[i]!;
      if (byte === 0x22 || byte === 0x5c || byte < 0x20) break;
    }
    return i;
  }

  /** The position of the closing quote of a field's name. */
  name(at: number): number {
    const { bytes } = this;
    for (let i = at; i < bytes.length; i += 1) {
      const byte = bytes[i]!;
      if (byte === 0x22) return i;
      if (byte < 0x20) break;
      if (byte === 0x5c) {
        this.odd = true;
        return this.text(i) - 1;
      }
    }
    throw new NotScanned();
  }

  object(at: number, above: Field, depth: number): number {
    const { bytes } = this;
    if (depth > deepest) throw new NotScanned();
    let i = this.space(at);
    if (bytes[i] === 0x7d) return i + 1;
    let previous: Field | undefined;
    for (;;) {
      if (bytes[i] !== 0x22) throw new NotScanned();
      const field = this.#fieldAt(i, above, previous);
      const from = this.past(i + field.length, 0x3a);
      i = this.value(from, field, depth);
      if (field.odd !== undefined && (field.odd === 'always' || this.kind !== 'object')) this.odd = true;
      if (field.isNeeded && !field.found(this.record, this.kind, from, i)) this.odd = true;
      previous = field;
      i = this.space(i);
      if (bytes[i] === 0x7d) return i + 1;
      i = this.past(i, 0x2c);
    }
  }

  /** The field of an object whose name begins with this quote, most likely the one that came at this place last time. */
  #fieldAt(at: number, above: Field, previous: Field | undefined): Field {
    const { bytes } = this;
    const likely = previous ? previous.next : above.first;
    if (likely && this.isNamed(likely, at)) return likely;
    const field = above.below(bytes.toString('utf8', at + 1, this.name(at + 1)));
    if (previous) previous.next = field;
    else above.first = field;
    return field;
  }

  array(at: number, above: Field, depth: number): number {
    const { bytes } = this;
    if (depth > deepest) throw new NotScanned();
    let i = this.space(at);
    if (bytes[i] === 0x5d) return i + 1;
    const { items } = above;
    for (;;) {
      i = this.space(this.value(i, items, depth));
      if (bytes[i] === 0x5d) return i + 1;
      i = this.past(i, 0x2c);
    }
  }

  /** Whether the quote at this position begins the field's name. Always `false` for an empty or one-letter name. */
  isNamed({ words, length }: Field, at: number): boolean {
    const bytes = this.#words;
    const last = words.length - 1;
    if (last < 0 || at + length > this.bytes.length) return false;
    if (bytes.getInt32(at + length - 4, true) !== words[last]) return false;
    for (let i = 0; i < last; i += 1) if (bytes.getInt32(at + i * 4, true) !== words[i]) return false;
    return true;
  }

  /** @returns the position of the escape's last byte. */
  #escape(at: number): number {
    const { bytes } = this;
    switch (bytes[at]!) {
      case 0x22: // "
      case 0x5c: // \
      case 0x2f: // /
      case 0x62: // b
      case 0x66: // f
      case 0x6e: // n
      case 0x72: // r
      case 0x74: // t
        return at;
      case 0x75: // u
        for (let i = at + 1; i <= at + 4; i += 1) if (!isHex(bytes[i])) throw new NotScanned();
        // d8 to df: half a surrogate pair, or a whole one in two escapes, which is rare.
        if ((bytes[at + 1]! | 0x20) === 0x64 && bytes[at + 2]! >= 0x38) this.odd = true;
        return at + 4;
      default:
        throw new NotScanned();
    }
  }

  #word(at: number, word: string): number {
    for (let i = 0; i < word.length; i += 1) {
      if (this.bytes[at + i] !== word.charCodeAt(i)) throw new NotScanned();
    }
    return at + word.length;
  }

  #number(at: number): number {
    const { bytes } = this;
    const digits = bytes[at] === 0x2d ? at + 1 : at;
    this.kind = 'integer';
    let end = bytes[digits] === 0x30 ? digits + 1 : this.#digits(digits);
    // Minus zero, which JSON.stringify writes as 0.
    if (digits > at && bytes[digits] === 0x30) this.odd = true;
    if (bytes[end] === 0x2e) {
      this.kind = 'fraction';
      end = this.#digits(end + 1);
      if (bytes[end - 1] === 0x30) this.odd = true;
    }
    if (bytes[end] === 0x65 || bytes[end] === 0x45) {
      this.odd = true;
      const sign = bytes[end + 1];
      end = this.#digits(end + (sign === 0x2b || sign === 0x2d ? 2 : 1));
    }
    if (end - at > 15) this.odd = true;
    return end;
  }

  /** The position after one digit or more. */
  #digits(at: number): number {
    const { bytes } = this;
    let end = at;
    while (end < bytes.length && bytes[end]! >= 0x30 && bytes[end]! <= 0x39) end += 1;
    if (end === at) throw new NotScanned();
    return end;
  }
}

function isHex(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}
