/** A token bucket the API keeps: `capacity` requests at once, refilled at `perSecond`. */
export type BucketLimit = { readonly capacity: number; readonly perSecond: number };

/** The bucket every request of a key draws from (vendor's documentation, "Rate limits"). */
export const keyLimit: BucketLimit = { capacity: 1200, perSecond: 20 };

/** What an answer said about the limits. */
export type RateHeaders = {
  /** The limit that binds (`X-RateLimit-Limit`'s first number). */
  readonly limit?: number;
  /** `X-RateLimit-Remaining`, of the limit that binds. */
  readonly remaining?: number;
  /** Milliseconds until one request will succeed, on a 429. */
  readonly retryAfterMs?: number;
};

/** The longest `Retry-After` that is waited out; more (some proxies send a date's number) is no word on a bucket. */
export const longestWaitMs = 30 * 60_000;
/** A timer can wait for 24 days at most, and fires at once beyond; looking again costs nothing. */
const lookAgainMs = 60_000;
/** Does not step as the wall clock does, which would block a bucket for as long as it is set back. */
const clock = () => performance.now();

/** Below so many seconds of refill a process leaves a part of what is there to others. */
const sharedSeconds = 2;
/** Of what is there, the part that a process then spends in a second. */
const boldestShare = 1;
/** After a refusal the part is half of what it was; it doubles again in so many milliseconds. */
const emboldenMs = 60_000;

export type TurnRequest = {
  /** The endpoint's own bucket, beside the key's. */
  readonly bucket?: BucketLimit & { readonly name: string };
  /** Requests this cursor still has before it, one after another: the longest goes first. */
  readonly work: number;
  /** Goes only where half of the allowance is left to others. */
  readonly leaveHalf?: true;
  readonly signal: AbortSignal;
};

/** A request that may be sent now. */
export type Turn = {
  /** Whole milliseconds it waited for its token. */
  readonly waitedMs: number;
  /** To be called once, when the answer is there or the request failed. */
  done(headers?: RateHeaders): void;
};

type Waiter = {
  readonly buckets: readonly Bucket[];
  readonly work: number;
  readonly leaveHalf: boolean;
  readonly since: number;
  readonly grant: (turn: Turn) => void;
};

/**
 * Hands out turns to all requests of one key in this process, at the API's own speed limit.
 *
 * The server's word comes first: other workers and other tools share the key, so what the headers say
 * replaces our own count, and where little is left a part of it is theirs (`Bucket`). Tokens go to the cursor with
 * the most serial work left; first come, first served would leave one long cursor running alone at the end.
 *
 * Who leaves half to others draws from a bucket of half the capacity and half the refill as well, and waits while less
 * than half of the whole one is there; yet no longer than a whole bucket takes to fill, or tools that never rest
 * would stop it for good.
 */
export class Pace {
  readonly #key = new Bucket(keyLimit);
  readonly #own = new Map<string, Bucket>();
  readonly #waiting: Waiter[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** Resolves when the request may be sent; rejects with the signal's reason. */
  turn({ bucket, work, leaveHalf, signal }: TurnRequest): Promise<Turn> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const now = clock();
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        buckets: bucket ? [this.#key, this.#ownBucket(bucket)] : [this.#key],
        work,
        leaveHalf: leaveHalf === true,
        since: now,
        grant: (turn) => {
          signal.removeEventListener('abort', leave);
          resolve(turn);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiter);
      this.#serve(now);
    });
  }

  #ownBucket(limit: BucketLimit & { readonly name: string }): Bucket {
    let bucket = this.#own.get(limit.name);
    if (!bucket) this.#own.set(limit.name, (bucket = new Bucket(limit)));
    return bucket;
  }

  #serve(now: number): void {
    clearTimeout(this.#timer);
    // A waiter of an exhausted bucket must not hold up those of another, so all are looked at.
    for (const waiter of this.#waiting.toSorted((a, b) => b.work - a.work)) {
      if (msUntilTurn(waiter, now) > 0) continue;
      const taken = waiter.buckets.map((bucket) => ({
        bucket,
        number: bucket.take(now, waiter.leaveHalf),
      }));
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      waiter.grant({
        waitedMs: Math.round(now - waiter.since),
        done: (headers = {}) => {
          const then = clock();
          settle(taken, headers, then);
          this.#serve(then);
        },
      });
    }
    if (this.#waiting.length === 0) return;
    const waits = this.#waiting.map((waiter) => msUntilTurn(waiter, now));
    this.#timer = setTimeout(() => this.#serve(clock()), Math.max(1, Math.min(lookAgainMs, ...waits)));
  }
}

function msUntilTurn({ buckets, leaveHalf, since }: Waiter, now: number): number {
  const waits = buckets.map((bucket) =>
    leaveHalf ? bucket.msUntilHalf(now, now - since) : bucket.msUntilToken(now),
  );
  return Math.max(...waits);
}

/** Which of its requests a bucket gave a token to. */
type Taken = { readonly bucket: Bucket; readonly number: number };

/** Tells the buckets of a request what its answer said; the headers speak of the tightest one only. */
function settle(taken: readonly Taken[], { limit, remaining, retryAfterMs }: RateHeaders, now: number): void {
  const binding = taken.filter(({ bucket }) => limit === undefined || bucket.capacity === limit);
  for (const { bucket, number } of binding.length > 0 ? binding : taken.slice(0, 1)) {
    if (retryAfterMs !== undefined) bucket.blockFor(retryAfterMs, now);
    else if (remaining !== undefined && limit !== undefined) bucket.correct(remaining, limit, number, now);
  }
}

/**
 * This process' count of a bucket that the server keeps and others draw from as well.
 *
 * All of them are told the same number of tokens, and none knows how many they are. Each spending what it was told
 * of would have most requests refused; so, where little is left, each sends in proportion to what is left. Their
 * rates then add up to the refill by themselves, at a level that is the lower the more they are: 20 tokens for
 * one process, 5 for four. These stay unspent, which costs a second once and not a part of the refill.
 */
class Bucket {
  readonly capacity: number;
  readonly #perMs: number;
  /** What the whole of it is; the server may say less than its documentation. */
  #limit: number;
  #tokens: number;
  #at = clock();
  #taken = 0;
  #takenAt = 0;
  /** Number of the last request whose answer said what is left. */
  #told = 0;
  #blockedUntil = 0;
  #share = boldestShare;
  #sharedAt = 0;
  /** For those who leave half to others; the server knows nothing of it. */
  #half: Bucket | undefined;

  constructor({ capacity, perSecond }: BucketLimit) {
    this.capacity = capacity;
    this.#perMs = perSecond / 1000;
    this.#limit = capacity;
    this.#tokens = capacity;
  }

  msUntilToken(now: number): number {
    return Math.max(this.#msUntil(1, now), this.#msUntilShared(now), Math.ceil(this.#blockedUntil - now));
  }

  /** The same for a request that leaves half to others and has waited for so many milliseconds. */
  msUntilHalf(now: number, waitedMs: number): number {
    const patience = Math.ceil(this.#limit / this.#perMs - waitedMs);
    const untilHalf = Math.min(this.#msUntil(this.#limit / 2 + 1, now), patience);
    return Math.max(this.msUntilToken(now), this.#ownHalf().#msUntil(1, now), untilHalf);
  }

  /** @returns the request's number, to be given with what its answer said. */
  take(now: number, leaveHalf: boolean): number {
    this.#refill(now);
    this.#tokens -= 1;
    this.#takenAt = now;
    if (leaveHalf) this.#ownHalf().take(now, false);
    return (this.#taken += 1);
  }

  /**
   * What was left when the server took up a request. Those sent after it are taken off, though they be answered
   * already: answers overtake each other, and an older one knows less.
   */
  correct(remaining: number, limit: number, number: number, now: number): void {
    if (number < this.#told) return;
    this.#told = number;
    this.#limit = Math.min(this.capacity, limit);
    this.#tokens = Math.min(this.capacity, remaining - (this.#taken - number));
    this.#at = now;
  }

  /** After the block one request will succeed, so one token is there. */
  blockFor(asked: number, now: number): void {
    const ms = Math.min(asked, longestWaitMs);
    // Requests that were under way together are refused together.
    if (now >= this.#blockedUntil) {
      this.#share = this.#shareOf(now) / 2;
      this.#sharedAt = now;
    }
    this.#blockedUntil = Math.max(this.#blockedUntil, now + ms);
    this.#tokens = Math.min(this.#tokens, 1 - ms * this.#perMs);
    this.#at = now;
  }

  #shareOf(now: number): number {
    return Math.min(boldestShare, this.#share * 2 ** ((now - this.#sharedAt) / emboldenMs));
  }

  /** Where little is left: until `share` of it, a second, makes one request since the last one. */
  #msUntilShared(now: number): number {
    this.#refill(now);
    // A server that tells nothing leaves us our own count alone.
    if (this.#told === 0 || this.#tokens >= sharedSeconds * 1_000 * this.#perMs) return 0;
    const sinceMs = now - this.#takenAt;
    // share × ms × (tokens then + refill × ms) = 1,000, solved for ms.
    const then = this.#tokens - this.#perMs * sinceMs;
    const dueMs =
      (Math.sqrt(then ** 2 + (4_000 * this.#perMs) / this.#shareOf(now)) - then) / (2 * this.#perMs);
    return Math.ceil(Math.max(0, dueMs - sinceMs));
  }

  #ownHalf(): Bucket {
    this.#half ??= new Bucket({ capacity: this.capacity / 2, perSecond: this.#perMs * 500 });
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
