import { Bucket, type BucketLimit } from './bucket.ts';

/** The bucket every request of a key draws from (vendor's documentation, "Rate limits"). */
export const keyLimit: BucketLimit = { capacity: 1200, perSecond: 20 };

/** What a response says about the limits. */
export type RateHeaders = {
  /** The limit that binds (`X-RateLimit-Limit`'s first number). */
  readonly limit?: number;
  /** `X-RateLimit-Remaining`, of the limit that binds. */
  readonly remaining?: number;
  /** Milliseconds until one request will succeed, on a 429. */
  readonly retryAfterMs?: number;
};

/** A timer can wait for at most 24 days and fires at once if asked for more; looking again costs nothing. */
const lookAgainMs = 60_000;
/** Never steps, unlike the wall clock: setting that one back would block a bucket for as long. */
const clock = () => performance.now();

export type TurnRequest = {
  /** The endpoint's own bucket, in addition to the key's. */
  readonly bucket?: BucketLimit & { readonly name: string };
  /** How many more requests this cursor needs, one after the other: the longest goes first. */
  readonly work: number;
  /** Goes only while half of the allowance is left to others. */
  readonly leaveHalf?: true;
  readonly signal: AbortSignal;
};

/** A request that may be sent now. */
export type Turn = {
  /** Whole milliseconds it waited for its token. */
  readonly waitedMs: number;
  /** To be called once, when the response is there or the request failed. */
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
 * The server's word comes first: other workers and other tools share the key, so what the headers say replaces our
 * own count, and when little is left, part of it is for them (see `Bucket`). Tokens go to the cursor with the most
 * serial work left; first come, first served would leave one long cursor running alone at the end.
 *
 * A request that leaves half to others also draws from a bucket of half the capacity and half the refill, and waits
 * while less than half of the whole bucket is left, but no longer than a whole bucket takes to fill: otherwise tools
 * that never rest would stop it for good.
 */
export class Pace {
  readonly #key = new Bucket(keyLimit, clock());
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
    if (!bucket) this.#own.set(limit.name, (bucket = new Bucket(limit, clock())));
    return bucket;
  }

  #serve(now: number): void {
    clearTimeout(this.#timer);
    // A request that waits for one bucket must not hold up those of another, so all are looked at.
    for (const waiter of this.#waiting.toSorted((a, b) => b.work - a.work)) {
      if (msUntilTurn(waiter, now) > 0) continue;
      const tokens = waiter.buckets.map((bucket) => ({
        bucket,
        number: bucket.take(now, waiter.leaveHalf),
      }));
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      waiter.grant({
        waitedMs: Math.round(now - waiter.since),
        done: (headers = {}) => {
          const then = clock();
          settle(tokens, headers, then);
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

/** A token taken from a bucket, with the number of the request it was for. */
type Token = { readonly bucket: Bucket; readonly number: number };

/** Tells the buckets of a request what its response said; the headers describe only the tightest one. */
function settle(
  tokens: readonly Token[],
  { limit, remaining, retryAfterMs }: RateHeaders,
  now: number,
): void {
  const binding = tokens.filter(({ bucket }) => limit === undefined || bucket.capacity === limit);
  for (const { bucket, number } of binding.length > 0 ? binding : tokens.slice(0, 1)) {
    if (retryAfterMs !== undefined) bucket.blockFor(retryAfterMs, now);
    else if (remaining !== undefined && limit !== undefined) bucket.correct(remaining, limit, number, now);
  }
}
