const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const step = 0x9e3779b1;

/** 32 well-mixed bits, determined by the three numbers. */
export function hash(seed: number, salt: number, index: number): number {
  let h = Math.imul(seed ^ Math.imul(salt + 1, step), 0x85ebca6b) ^ index;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15) ^ salt, 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A number from 0 to below 1, determined by the three numbers. */
export function fraction(seed: number, salt: number, index: number): number {
  return hash(seed, salt, index) / 4294967296;
}

/** A stream of random choices, determined by its starting number (mulberry32). */
export class Dice {
  #state: number;
  constructor(start: number) {
    this.#state = start | 0;
  }
  /** A number from 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }
  chance(probability: number): boolean {
    return this.next() < probability;
  }
  pick<T>(list: readonly T[]): T {
    return at(list, this.below(list.length));
  }
  /** The value of an optional field: present with this probability, otherwise as in `nothing`. */
  optional<T>(value: T, present: number): T | null | undefined {
    return this.chance(present) ? value : this.nothing();
  }
  /** An empty optional field: mostly left out, sometimes null. The API does not document which one it sends. */
  nothing(): null | undefined {
    return this.chance(0.25) ? null : undefined;
  }
}

/** The element at an index. Throws a RangeError if there is none. */
export function at<T>(list: readonly T[], index: number): T {
  if (index < 0 || index >= list.length) throw new RangeError(`index ${index} of ${list.length}`);
  return list[index] as T;
}

function base32(value: number, digits: number): string {
  let text = '';
  for (let rest = value, i = 0; i < digits; i++) {
    text = crockford.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

let unstep = step;
for (let i = 0; i < 5; i++) unstep = Math.imul(unstep, 2 - Math.imul(step, unstep));

/**
 * Ids that look like ULIDs: ten characters of time, nine of noise, and seven that hold the scrambled row number,
 * so that a row is found by its id without an index.
 */
export class Ids {
  readonly #seed: number;
  readonly #salt: number;
  readonly #mask: number;
  constructor(seed: number, salt: number) {
    this.#seed = seed;
    this.#salt = salt;
    this.#mask = hash(seed, salt, 0x1d5);
  }
  of(index: number, createdMs: number): string {
    const noise = hash(this.#seed, this.#salt + 1000, index);
    const more = hash(this.#seed, this.#salt + 2000, index);
    const scrambled = (Math.imul(index, step) ^ this.#mask) >>> 0;
    return (
      base32(Math.floor(createdMs), 10) + base32(noise, 6) + base32(more & 0x7fff, 3) + base32(scrambled, 7)
    );
  }
  /** The row number in an id. For an id of another table, some arbitrary number. */
  indexOf(id: string): number {
    let value = 0;
    for (const character of id.slice(-7)) value = value * 32 + crockford.indexOf(character);
    return Math.imul((value >>> 0) ^ this.#mask, unstep) >>> 0;
  }
}

/** A salt for everything that is generated under a name, such as a table or a column (FNV-1a). */
export function saltOf(name: string): number {
  let salt = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) salt = Math.imul(salt ^ name.charCodeAt(i), 0x01000193);
  return salt >>> 0;
}
