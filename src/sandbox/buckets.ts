import type { OutgoingHttpHeaders } from 'node:http';

export type Limit = { readonly capacity: number; readonly perSecond: number };
export type Limits = {
  /** For all requests made with a key. */
  readonly all: Limit;
  /** For `GET /v2/incidents`, which also counts towards `all`. Other lists have the limit they are declared with. */
  readonly incidents: Limit;
};

/** The rate limits of the real API. */
export const realLimits: Limits = {
  all: { capacity: 1200, perSecond: 20 },
  incidents: { capacity: 60, perSecond: 1 },
};

class Bucket {
  readonly limit: Limit;
  readonly #now: () => number;
  #tokens: number;
  #at: number;
  constructor(limit: Limit, now: () => number) {
    this.limit = limit;
    this.#now = now;
    this.#tokens = limit.capacity;
    this.#at = now();
  }
  get tokens(): number {
    const now = this.#now();
    const refilled = this.#tokens + (Math.max(0, now - this.#at) / 1000) * this.limit.perSecond;
    this.#tokens = Math.min(this.limit.capacity, refilled);
    this.#at = now;
    return this.#tokens;
  }
  take(): void {
    this.#tokens = this.tokens - 1;
  }
}

export type Grant = {
  readonly isGranted: boolean;
  readonly limit: number;
  readonly headers: OutgoingHttpHeaders;
  /** When a request will be granted again, in milliseconds since the epoch. */
  readonly retryAt: number;
};

/** The token buckets of one key. */
export class Buckets {
  readonly #all: Bucket;
  readonly #own: ReadonlyMap<string, Bucket>;
  readonly #now: () => number;
  /** @param own the limits that paths have besides `all` */
  constructor(all: Limit, own: ReadonlyMap<string, Limit>, now: () => number) {
    this.#all = new Bucket(all, now);
    this.#own = new Map([...own].map(([path, limit]) => [path, new Bucket(limit, now)]));
    this.#now = now;
  }

  /** Takes a token from each bucket that counts for this path, or from none if one of them is empty. */
  take(path: string): Grant {
    const own = this.#own.get(path);
    const buckets = own ? [this.#all, own] : [this.#all];
    const isGranted = buckets.every((bucket) => bucket.tokens >= 1);
    if (isGranted) for (const bucket of buckets) bucket.take();
    const binding = buckets.reduce((a, b) => (b.tokens < a.tokens ? b : a));
    const { capacity, perSecond } = binding.limit;
    const remaining = Math.floor(binding.tokens);
    const waitSeconds = Math.max(0, (1 - binding.tokens) / perSecond);
    const windows = buckets.map((bucket) => `${bucket.limit.capacity};window=60`);
    return {
      isGranted,
      limit: capacity,
      retryAt: this.#now() + waitSeconds * 1000,
      headers: {
        'X-RateLimit-Limit': [capacity, ...windows].join(', '),
        'X-RateLimit-Remaining': remaining,
        'X-RateLimit-Used': capacity - remaining,
        'X-RateLimit-Reset': Math.ceil(this.#now() / 1000 + (capacity - binding.tokens) / perSecond),
        ...(isGranted ? {} : { 'Retry-After': Math.max(1, Math.ceil(waitSeconds)) }),
      },
    };
  }
}
