import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Dice, hash } from './data/random.ts';
import { tableAt, type SandboxTable } from './endpoints.ts';
import { problemOf } from './problems.ts';

/** What can go wrong with one answer. */
export type Fault =
  /** An error in the API's shape. */
  | { readonly kind: 'error'; readonly status: number; readonly retryAfterSeconds?: number }
  /** A page from something in between. */
  | { readonly kind: 'html'; readonly status: number }
  /**
   * The first half of the answer. `content-length` and `chunked` end as if that were all of it; `aborted`
   * promises the whole and closes the connection.
   */
  | { readonly kind: 'cut'; readonly framing: 'content-length' | 'chunked' | 'aborted' }
  /** Headers, then nothing. */
  | { readonly kind: 'stall' }
  /** The connection is reset before any answer. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'redirect'; readonly location: string }
  /** A good answer without its `Date`, or without its rate limit. */
  | { readonly kind: 'without'; readonly headers: 'date' | 'rate-limit' }
  /** A good page that names the cursor it was asked with (or `after`) as the next one. */
  | { readonly kind: 'repeat-cursor'; readonly after?: string }
  /** Another body with status 200: JSON of the wrong shape. */
  | { readonly kind: 'body'; readonly body: unknown };

export type SandboxRequest = {
  readonly path: string;
  readonly params: URLSearchParams;
  readonly table: SandboxTable | undefined;
};

/** When a fault happens. Conditions add up; without any, to every request. */
export type FaultRule = {
  readonly fault: Fault;
  /** How often at most. */
  readonly times?: number;
  /** The share of requests, in [0, 1], chosen by the sandbox's seed. */
  readonly fraction?: number;
  readonly table?: SandboxTable;
  readonly when?: (request: SandboxRequest) => boolean;
};

export type Answer = {
  status: number;
  headers: OutgoingHttpHeaders;
  /** JSON in UTF-8, unless a fault makes it something else. */
  body: Buffer;
};

const HTML = '<!doctype html><html><body><h1>We will be right back</h1></body></html>';
/** What `faults: 0.05` is made of. */
const COMMON: readonly Fault[] = [
  { kind: 'error', status: 500 },
  { kind: 'error', status: 503, retryAfterSeconds: 1 },
  { kind: 'html', status: 502 },
  { kind: 'cut', framing: 'aborted' },
  { kind: 'reset' },
];

/** A share of all requests that fails, in the ways that pass by themselves. */
export function commonFaults(fraction: number): FaultRule[] {
  if (!(fraction >= 0 && fraction <= 1)) throw new RangeError('the share of faults must be between 0 and 1');
  // Each rule sees only what the ones before it let through.
  return COMMON.map((fault, i) => ({
    fault,
    fraction: fraction / COMMON.length / (1 - (fraction * i) / COMMON.length),
  }));
}

/** The rules in force. */
export class Faults {
  readonly #rules: { readonly rule: FaultRule; left: number }[] = [];
  readonly #dice: Dice;
  constructor(seed: number) {
    this.#dice = new Dice(hash(seed, 0xfa, 0));
  }

  /** Earlier rules win. Returns what takes the rule back. */
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

export function requestOf(url: string): SandboxRequest {
  const { pathname, searchParams } = new URL(url, 'http://127.0.0.1');
  return { path: pathname, params: searchParams, table: tableAt(pathname) };
}

/** The answer with its fault, where the fault is in what is said and not in how it is sent. */
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
        body: Buffer.from(HTML),
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

/** Puts the answer on the wire, or as much of it as the fault lets through. */
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
