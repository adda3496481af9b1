/** A token bucket that the API keeps: `capacity` requests at once, refilled at `perSecond`. */
export type BucketLimit = { readonly capacity: number; readonly perSecond: number };

/** The longest single wait for a bucket, in milliseconds: after it, the API is asked again, whatever it said before. */
export const longestWaitMs = 30 * 60_000;

/**
 * After this many refusals in a row the pause grows by itself; otherwise a `Retry-After: 0` would cause request after
 * request. A few in a row are normal if many processes share a bucket.
 */
const usualRefusals = 5;
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
/** Two refusals are not in a row if this much time without requests passed between them. */
const rowEndsAfterMs = 60_000;

/** When fewer than this many seconds' worth of tokens are left, a process takes only a share of them. */
const sharedSeconds = 2;
/** The share of the remaining tokens that a process then spends per second. */
const largestShare = 1;
/** How many times as large the share is while nobody else takes tokens. */
const timesIfAlone = 4;
/**
 * A process is alone if fewer tokens than this were taken by others lately. Answers that take different times look like
 * a few tokens too.
 */
const fewTokens = 8;
/** Tokens that others took count half after this many milliseconds. */
const othersHalveInMs = 2_000;
/** A process that does not know yet assumes that others take tokens, for five seconds. */
const othersAtFirst = 50;
/** A refusal halves the share; after this many milliseconds it has doubled again. */
const shareDoublesInMs = 60_000;

/** Why a bucket gives no token: the API refuses requests. */
export type Refusal = {
  /** When the first request was refused since the last one that got through. */
  readonly since: number;
  /** When the API may be asked again. */
  readonly until: number;
  /** When the API said so. */
  readonly askedUntil: number;
};

/**
 * This process's count of a bucket that the server keeps and that others draw from too.
 *
 * The server tells all of them the same number of tokens, and none knows how many they are. If each spent what it was
 * told, most requests would be refused. So when few tokens are left, each process sends in proportion to what is left.
 * Together their rates then settle at the refill, at a level that falls with their number: 10 tokens for two processes,
 * 5 for four. Those tokens stay unspent, which costs half a second once and nothing of the refill. If the server counts
 * as this process does, nobody else takes tokens; then the level is 5 for one process too.
 *
 * All times are milliseconds of a clock that never steps.
 */
export class Bucket {
  readonly capacity: number;
  readonly #perMs: number;
  /** The size of the bucket; the server may say less than its documentation. */
  #limit: number;
  #tokens: number;
  #at: number;
  #taken = 0;
  #takenAt = 0;
  /** Number of the newest request whose answer said how many tokens are left, and when that answer came. */
  #told = 0;
  #toldAt = 0;
  /** Tokens that others took lately. */
  #others = othersAtFirst;
  #blockedUntil = 0;
  /** Refusals since the last request that got through. */
  #refusals = 0;
  /** When the first of them came, and until when the last one asked to wait. */
  #refusedSince = 0;
  #askedUntil = 0;
  #share = largestShare;
  #shareAt = 0;
  /** For requests that leave half to others; the server does not know it. */
  #half: Bucket | undefined;

  constructor({ capacity, perSecond }: BucketLimit, now: number) {
    this.capacity = capacity;
    this.#perMs = perSecond / 1000;
    this.#limit = capacity;
    this.#tokens = capacity;
    this.#at = now;
  }

  msUntilToken(now: number): number {
    return Math.max(this.#msUntil(1, now), this.#msUntilShare(now), Math.ceil(this.#blockedUntil - now));
  }

  /** The same for a request that leaves half to others and has already waited. */
  msUntilHalf(now: number, waitedMs: number): number {
    const patience = Math.ceil(this.#limit / this.#perMs - waitedMs);
    const untilHalf = Math.min(this.#msUntil(this.#limit / 2 + 1, now), patience);
    return Math.max(this.msUntilToken(now), this.#ownHalf(now).#msUntil(1, now), untilHalf);
  }

  /** @returns the request's number, to be passed on with what its answer says. */
  take(now: number, leaveHalf: boolean): number {
    this.#refill(now);
    this.#tokens -= 1;
    this.#takenAt = now;
    if (leaveHalf) this.#ownHalf(now).take(now, false);
    return (this.#taken += 1);
  }

  /**
   * Corrects the count with what was left when the server took up a request. The requests sent after it are subtracted,
   * even if they have been answered: answers overtake each other, and an older one knows less.
   */
  correct(remaining: number, limit: number, number: number, now: number): void {
    if (number < this.#told) return;
    this.#refill(now);
    this.#limit = Math.min(this.capacity, limit);
    const tokens = Math.min(this.capacity, remaining - (this.#taken - number));
    const before =
      this.#told === 0 ? othersAtFirst : this.#others * 0.5 ** ((now - this.#toldAt) / othersHalveInMs);
    this.#others = Math.max(0, before + this.#tokens - tokens);
    this.#told = number;
    this.#toldAt = now;
    this.#tokens = tokens;
  }

  /** A request was refused: sends nothing for a while. After that one request will succeed, so there is one token. */
  refuse(askedMs: number, now: number): void {
    // Requests that were under way together are refused together, and count as one refusal.
    if (now >= this.#blockedUntil) {
      if (now >= this.#blockedUntil + rowEndsAfterMs) this.#refusals = 0;
      if (this.#refusals === 0) this.#refusedSince = now;
      this.#refusals += 1;
      this.#share = this.#shareOf(now) / 2;
      this.#shareAt = now;
      this.#others += othersAtFirst;
    }
    const ms = Math.max(Math.min(askedMs, longestWaitMs), pauseAfter(this.#refusals));
    this.#askedUntil = Math.max(this.#askedUntil, now + askedMs);
    this.#blockedUntil = Math.max(this.#blockedUntil, now + ms);
    this.#tokens = Math.min(this.#tokens, 1 - ms * this.#perMs);
    this.#at = now;
  }

  /** A request got through. */
  accept(): void {
    this.#refusals = 0;
    this.#askedUntil = 0;
  }

  /** The refusal in force; `undefined` if there is none. */
  refusal(now: number): Refusal | undefined {
    if (now >= this.#blockedUntil) return undefined;
    return {
      since: this.#refusedSince,
      until: Math.max(this.#blockedUntil, this.#askedUntil),
      askedUntil: this.#askedUntil,
    };
  }

  #shareOf(now: number): number {
    return Math.min(largestShare, this.#share * 2 ** ((now - this.#shareAt) / shareDoublesInMs));
  }

  /** If few tokens are left: until the share of them, per second, adds up to one request since the last one. */
  #msUntilShare(now: number): number {
    this.#refill(now);
    // If the server tells nothing, there is only our own count.
    if (this.#told === 0 || this.#tokens >= sharedSeconds * 1_000 * this.#perMs) return 0;
    const sinceMs = now - this.#takenAt;
    // share × ms × (tokens then + refill × ms) = 1,000, solved for ms.
    const then = this.#tokens - this.#perMs * sinceMs;
    const share = this.#shareOf(now) * (this.#others < fewTokens ? timesIfAlone : 1);
    const dueMs = (Math.sqrt(then ** 2 + (4_000 * this.#perMs) / share) - then) / (2 * this.#perMs);
    return Math.ceil(Math.max(0, dueMs - sinceMs));
  }

  #ownHalf(now: number): Bucket {
    this.#half ??= new Bucket({ capacity: this.capacity / 2, perSecond: this.#perMs * 500 }, now);
    return this.#half;
  }

  #msUntil(tokens: number, now: number): number {
    this.#refill(now);
    return Math.ceil(Math.max(0, tokens - this.#tokens) / this.#perMs);
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.capacity, this.#tokens + Math.max(0, now - this.#at) * this.#perMs);
    this.#at = now;
  }
}

/** Milliseconds to wait after this many refusals in a row, whatever the API asks for. */
function pauseAfter(refusals: number): number {
  const more = refusals - usualRefusals;
  return more <= 0 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (more - 1));
}
