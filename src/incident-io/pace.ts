import { Bucket, type BucketLimit, type Refusal } from './bucket.ts';

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
  /** The request got through: it was neither refused nor did the API fail. */
  readonly isAccepted?: boolean;
};

/** A timer can wait for at most 24 days and fires at once if asked for more; looking again costs nothing. */
const lookAgainMs = 60_000;
/** Never steps, unlike the wall clock: setting that one back would block a bucket for as long. */
export const clock = () => performance.now();

export type TurnRequest = {
  /** The endpoint's own bucket, in addition to the key's. */
  readonly bucket?: BucketLimit & { readonly name: string };
  /** How many more requests this cursor needs, one after the other: the longest goes first. */
  readonly work: number;
  /** Sent only while half of the rate limit is left to others. */
  readonly leaveHalf?: true;
  readonly signal: AbortSignal;
  /** How long the API may refuse requests; without it, forever. */
  readonly patience?: Patience;
  /** Called when the API refuses requests, with the time at which it may be asked again, milliseconds since the epoch. */
  readonly onRefused?: (until: number) => void;
};

/** A limit for refusals. Those before `began` are not this request's; `clock` gives its time. */
export type Patience = { readonly ms: number; readonly began: number };

/** The API has refused requests for longer than the request may wait, or asks to wait for longer. */
export class PatienceExhausted extends Error {
  /** How long it has refused them. */
  readonly refusedMs: number;
  /** When it may be asked again, milliseconds since the epoch. */
  readonly until: number;
  constructor(refusedMs: number, until: number) {
    super('refused for too long');
    this.refusedMs = refusedMs;
    this.until = until;
  }
}

/** A request that may be sent now. */
export type Turn = {
  /** Whole milliseconds it waited for its token. */
  readonly waitedMs: number;
  /** Whether it waited because the API refused requests. */
  readonly refused: boolean;
  /** Call it once, with what the response says, or with nothing if there was no response. */
  done(headers?: RateHeaders): void;
};

type Waiter = {
  readonly buckets: readonly Bucket[];
  readonly work: number;
  readonly leaveHalf: boolean;
  readonly since: number;
  readonly patience: Patience | undefined;
  /** The end of the refusal that it was told about. */
  refusedUntil: number | undefined;
  readonly grant: (turn: Turn) => void;
  readonly reject: (reason: Error) => void;
  readonly onRefused: TurnRequest['onRefused'];
};

/**
 * Hands out turns to all requests of one key in this process, at the API's own speed limit.
 *
 * The server decides: other workers and other tools share the key, so the headers replace our own count, and when few
 * tokens are left, some of them are for the others (see `Bucket`). Tokens go to the cursor with the most serial work
 * left; first come, first served would leave one long cursor running alone at the end.
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

  /** Resolves when the request may be sent. Throws the signal's reason, and `PatienceExhausted`. */
  turn({ bucket, work, leaveHalf, signal, patience, onRefused }: TurnRequest): Promise<Turn> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const now = clock();
      const leave = () => {
        this.#remove(waiter);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        buckets: bucket ? [this.#key, this.#ownBucket(bucket)] : [this.#key],
        work,
        leaveHalf: leaveHalf === true,
        since: now,
        patience,
        refusedUntil: undefined,
        onRefused,
        grant: (turn) => {
          signal.removeEventListener('abort', leave);
          resolve(turn);
        },
        reject: (reason) => {
          signal.removeEventListener('abort', leave);
          reject(reason);
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

  #remove(waiter: Waiter): void {
    this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
  }

  #serve(now: number): void {
    clearTimeout(this.#timer);
    // A request that waits for one bucket must not hold up those of another, so all are looked at.
    for (const waiter of this.#waiting.toSorted((a, b) => b.work - a.work)) {
      if (msUntilTurn(waiter, now) > 0) {
        this.#tellRefusal(waiter, now);
        continue;
      }
      const tokens = waiter.buckets.map((bucket) => ({
        bucket,
        number: bucket.take(now, waiter.leaveHalf),
      }));
      this.#remove(waiter);
      waiter.grant({
        waitedMs: Math.round(now - waiter.since),
        refused: waiter.refusedUntil !== undefined,
        done: (headers) => {
          const then = clock();
          if (headers) settle(tokens, headers, then);
          this.#serve(then);
        },
      });
    }
    if (this.#waiting.length === 0) return;
    const waits = this.#waiting.map((waiter) => msUntilTurn(waiter, now));
    this.#timer = setTimeout(() => this.#serve(clock()), Math.max(1, Math.min(lookAgainMs, ...waits)));
  }

  /** Tells a waiting request that the API refuses requests, or ends its wait if that lasts too long. */
  #tellRefusal(waiter: Waiter, now: number): void {
    const refusal = longest(waiter.buckets.map((bucket) => bucket.refusal(now)));
    if (!refusal) return;
    const wallClock = (at: number) => Math.round(Date.now() + at - now);
    const { patience } = waiter;
    if (patience) {
      const since = Math.max(refusal.since, patience.began);
      if (refusal.askedUntil - since > patience.ms || now - since >= patience.ms) {
        this.#remove(waiter);
        waiter.reject(new PatienceExhausted(now - since, wallClock(refusal.until)));
        return;
      }
    }
    if (waiter.refusedUntil === refusal.until) return;
    waiter.refusedUntil = refusal.until;
    waiter.onRefused?.(wallClock(refusal.until));
  }
}

function longest(refusals: readonly (Refusal | undefined)[]): Refusal | undefined {
  return refusals.reduce((a, b) => (a && b ? (a.until > b.until ? a : b) : (a ?? b)), undefined);
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
  { limit, remaining, retryAfterMs, isAccepted }: RateHeaders,
  now: number,
): void {
  const binding = tokens.filter(({ bucket }) => limit === undefined || bucket.capacity === limit);
  for (const { bucket, number } of binding.length > 0 ? binding : tokens.slice(0, 1)) {
    if (retryAfterMs !== undefined) bucket.refuse(retryAfterMs, now);
    else if (remaining !== undefined && limit !== undefined) bucket.correct(remaining, limit, number, now);
  }
  if (isAccepted) for (const { bucket } of tokens) bucket.accept();
}
