import { fraction, hash } from './random.ts';

export const secondMs = 1000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

const days = new Map<number, string>();

function dayOf(day: number): string {
  const known = days.get(day);
  if (known !== undefined) return known;
  const text = new Date(day * dayMs).toISOString().slice(0, 11);
  days.set(day, text);
  return text;
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));

/** RFC 3339 in UTC, with as few fraction digits as the moment needs: none to six. */
export function timestamp(ms: number): string {
  const micros = Math.round(ms * 1000);
  const seconds = Math.floor(micros / 1e6);
  const rest = micros - seconds * 1e6;
  const day = Math.floor(seconds / 86_400);
  const inDay = seconds - day * 86_400;
  const time = `${two(Math.floor(inDay / 3600))}:${two(Math.floor(inDay / 60) % 60)}:${two(inDay % 60)}`;
  if (rest === 0) return `${dayOf(day)}${time}Z`;
  return `${dayOf(day)}${time}.${String(rest).padStart(6, '0').replace(/0+$/, '')}Z`;
}

/** The reverse of `timestamp`, to the microsecond; `undefined` for anything that is not a timestamp. */
export function momentOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const ms = Date.parse(value);
  if (Number.isNaN(ms)) return undefined;
  const digits = /\.\d{3}(\d{1,3})/.exec(value)?.[1];
  return digits === undefined ? ms : ms + Number(digits.padEnd(3, '0')) / 1000;
}

/** The moment at a random precision, from seconds to microseconds; less than a millisecond later at most. */
export function roughen(ms: number, noise: number): number {
  switch (noise & 7) {
    case 0:
      return Math.floor(ms / 1000) * 1000;
    case 1:
      return Math.floor(ms / 100) * 100;
    case 2:
      return Math.floor(ms / 10) * 10;
    case 6:
    case 7:
      return Math.floor(ms) + ((noise >>> 8) % 1000) / 1000;
    default:
      return Math.floor(ms);
  }
}

/** When each of `count` rows was created: each later than the one before, spread over `since` to `until`. */
export class Timeline {
  readonly since: number;
  readonly until: number;
  readonly #slot: number;
  readonly #seed: number;
  readonly #salt: number;
  constructor(span: { since: number; until: number }, count: number, seed: number, salt: number) {
    this.since = span.since;
    this.until = span.until;
    this.#slot = (span.until - span.since) / Math.max(count, 1);
    this.#seed = seed;
    this.#salt = salt;
  }
  at(index: number): number {
    if (index === 0) return this.since;
    const wobble = fraction(this.#seed, this.#salt + 3000, index) * 0.5;
    const ms = Math.floor(this.since + (index + wobble) * this.#slot);
    // Rounding could put rows that are closer together than this in the wrong order.
    if (this.#slot < 2 * secondMs) return ms;
    return roughen(ms, hash(this.#seed, this.#salt + 4000, index));
  }
  /** A row that certainly existed at `ms`, close to the newest one. */
  before(ms: number): number {
    return Math.max(0, Math.floor((ms - this.since) / this.#slot) - 1);
  }
}
