import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Dice, hash } from './data/random.ts';
import { problemOf } from './problems.ts';

/** Something that goes wrong with one response. */
export type Fault =
  /** An error in the API's shape. */
  | { readonly kind: 'error'; readonly status: number; readonly retryAfterSeconds?: number }
  /** An HTML page, as a proxy between client and API would send. */
  | { readonly kind: 'html'; readonly status: number }
  /**
   * Only the first half of the response. `content-length` and `chunked` end properly, as if that were all;
   * `aborted` announces the full length and then closes the connection.
   */
  | { readonly kind: 'cut'; readonly framing: 'content-length' | 'chunked' | 'aborted' }
  /** The headers, then nothing more. */
  | { readonly kind: 'stall' }
  /** The connection is reset before the response starts. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'redirect'; readonly location: string }
  /** A good response without the `Date` header, or without the rate limit headers. */
  | { readonly kind: 'without'; readonly headers: 'date' | 'rate-limit' }
  /** A good page whose next cursor is the one it was requested with, or `after` if given. */
  | { readonly kind: 'repeat-cursor'; readonly after?: string }
  /** Status 200 with this body instead, to try JSON of the wrong shape. */
  | { readonly kind: 'body'; readonly body: unknown };

export type SandboxRequest = {
  readonly path: string;
  readonly params: URLSearchParams;
  readonly table: string | undefined;
};

/** When a fault happens. All conditions must hold; with none, it happens to every request. */
export type FaultRule = {
  readonly fault: Fault;
  /** At most this many times. */
  readonly times?: number;
  /** The share of requests it happens to, 0 to 1. The sandbox's seed decides which ones. */
  readonly fraction?: number;
  readonly table?: string;
  readonly when?: (request: SandboxRequest) => boolean;
};

export type Answer = {
  status: number;
  headers: OutgoingHttpHeaders;
  /** UTF-8 JSON, unless a fault replaces it. */
  body: Buffer;
};

const htmlPage = '<!doctype html><html><body><h1>We will be right back</h1></body></html>';

/** Faults that pass on their own: what `faults: 0.05` mixes. */
const passingFaults: readonly Fault[] = [
  { kind: 'error', status: 500 },
  { kind: 'error', status: 503, retryAfterSeconds: 1 },
  { kind: 'html', status: 502 },
  { kind: 'cut', framing: 'aborted' },
  { kind: 'reset' },
];

/** Rules under which this share of all requests fails, with faults that pass on their own. */
export function commonFaults(fraction: number): FaultRule[] {
  if (!(fraction >= 0 && fraction <= 1)) throw new RangeError('the share of faults must be between 0 and 1');
  // A rule only sees the requests that the rules before it let through, so later rules need a larger share.
  return passingFaults.map((fault, i) => ({
    fault,
    fraction: fraction / passingFaults.length / (1 - (fraction * i) / passingFaults.length),
  }));
}

/** The rules that are in force. */
export class Faults {
  readonly #rules: { readonly rule: FaultRule; left: number }[] = [];
  readonly #dice: Dice;
  constructor(seed: number) {
    this.#dice = new Dice(hash(seed, 0xfa, 0));
  }

  /** Adds a rule; if several match a request, the earliest wins. Returns a function that removes the rule. */
  add(rule: FaultRule): () => void {
    const entry = { rule, left: rule.times ?? Infinity };
    this.#rules.push(entry);
    return () => {
      entry.left = 0;
    };
  }

  next(request: SandboxRequest): Fault | undefined {
    for (const entry of this.#rules) {
      const { rule } = entry;
      if (entry.left <= 0) continue;
      if (rule.table !== undefined && rule.table !== request.table) continue;
      if (rule.when?.(request) === false) continue;
      if (rule.fraction !== undefined && !this.#dice.chance(rule.fraction)) continue;
      entry.left--;
      return rule.fault;
    }
    return undefined;
  }
}

/** The response with the fault applied to its content. Faults of the transport are left to `send`. */
export function spoil(answer: Answer, fault: Fault, request: SandboxRequest, requestId: string): Answer {
  const { headers } = answer;
  switch (fault.kind) {
    case 'error':
      return {
        status: fault.status,
        headers: {
          ...headers,
          ...(fault.retryAfterSeconds === undefined ? {} : { 'Retry-After': fault.retryAfterSeconds }),
        },
        body: Buffer.from(problemOf(fault.status).body(requestId)),
      };
    case 'html':
      return {
        status: fault.status,
        headers: { ...headers, 'Content-Type': 'text/html; charset=utf-8' },
        body: Buffer.from(htmlPage),
      };
    case 'redirect':
      return { status: 302, headers: { ...headers, Location: fault.location }, body: Buffer.alloc(0) };
    case 'without': {
      const isGone = (name: string) =>
        fault.headers === 'date' ? name === 'Date' : name.startsWith('X-RateLimit-');
      return { ...answer, headers: Object.fromEntries(Object.entries(headers).filter(([n]) => !isGone(n))) };
    }
    case 'repeat-cursor': {
      const after = fault.after ?? request.params.get('after');
      if (after === null) return answer;
      const body = JSON.parse(answer.body.toString()) as { pagination_meta?: Record<string, unknown> };
      return {
        ...answer,
        body: Buffer.from(JSON.stringify({ ...body, pagination_meta: { ...body.pagination_meta, after } })),
      };
    }
    case 'body':
      return { ...answer, status: 200, body: Buffer.from(JSON.stringify(fault.body)) };
    case 'cut':
    case 'stall':
    case 'reset':
      return answer;
  }
}

/** Sends the response, or as much of it as the fault lets through. */
export function send(response: ServerResponse, answer: Answer, fault: Fault | undefined): void {
  if (fault?.kind === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  response.sendDate = false;
  const { body } = answer;
  if (fault?.kind === 'stall') {
    response.writeHead(answer.status, { ...answer.headers, 'Content-Length': body.length }).flushHeaders();
    return;
  }
  if (fault?.kind === 'cut') {
    const half = body.subarray(0, body.length >>> 1);
    if (fault.framing === 'chunked') {
      response.writeHead(answer.status, answer.headers).write(half);
      response.end();
      return;
    }
    const length = fault.framing === 'aborted' ? body.length : half.length;
    response.writeHead(answer.status, { ...answer.headers, 'Content-Length': length });
    if (fault.framing === 'aborted') response.write(half, () => response.destroy());
    else response.end(half);
    return;
  }
  response.writeHead(answer.status, { ...answer.headers, 'Content-Length': body.length }).end(body);
}
