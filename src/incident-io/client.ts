import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import {
  ApiUnavailableError,
  CredentialsError,
  CursorRejectedError,
  FilterRejectedError,
  PermissionError,
  RateLimitedError,
  type RequestFacts,
  UnexpectedResponseError,
  UsageError,
} from '../errors.ts';
import { spanned, spanSince } from '../spans.ts';
import { parseJson } from '../records/json.ts';
import { type BucketLimit, longestWaitMs, Pace, type RateHeaders, type Turn } from './pace.ts';

export const defaultBaseUrl = 'https://api.incident.io';

/** A query parameter; a name may stand several times (`status_category[one_of]=a&status_category[one_of]=b`). */
export type Param = readonly [name: string, value: string];

/** What a caller wants to know of its requests, and how it stops them. */
export type Call = {
  /** Ends the request, and the wait for it. */
  readonly signal: AbortSignal;
  /** Ends only a wait for a token or for `Retry-After`; a request that is under way goes on. */
  readonly waitSignal?: AbortSignal;
  /**
   * Requests this cursor still has before it; see `Pace`. Left out, all of a run: what comes before its cursors, and
   * its commit, are few requests that everything else of the run waits for.
   */
  readonly work?: number;
  /** Leaves half of the allowance to the user's other tools; see `Pace`. */
  readonly leaveHalf?: true;
  /** Told of every request sent, and of milliseconds waited at the limit. */
  readonly onRequest?: (request: { readonly waitedMs: number; readonly bytes: number }) => void;
};

type JsonObject = { readonly [key: string]: unknown };

export type Answer<Body = JsonObject> = {
  readonly body: Body;
  /** The API's clock (`Date` header), milliseconds since the epoch, where the answer says it. */
  readonly answeredAt: number | undefined;
  /** Of the response's text. */
  readonly bytes: number;
};

export type Client = {
  /** One GET, sent when the limits allow; a 429 is waited out. Throws the errors of `errors.ts` by status. */
  get(path: string, params: readonly Param[], call: Call, bucket?: BucketLimit): Promise<Answer>;
  /** The same, where `take` makes the body of the answer's text; it throws `SyntaxError` for what is no JSON. */
  take<Body>(
    path: string,
    params: readonly Param[],
    call: Call,
    bucket: BucketLimit | undefined,
    take: (text: Buffer) => Body | Promise<Body>,
  ): Promise<Answer<Body>>;
};

export type ClientOptions = {
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly pace?: Pace;
  /** Milliseconds for one request, from the first byte sent to the last one read. */
  readonly timeoutMs?: number;
};

/** Without `Retry-After` on a 429 (headers are left out where the allowance is unknown). */
const unnamedWaitMs = 5_000;

/**
 * The incident.io API behind one key. Keeps connections alive, follows no redirect (it would carry the key
 * elsewhere), and speaks plain http to this machine only. Throws `UsageError` for another base URL.
 */
export function createClient({
  apiKey,
  baseUrl,
  pace = new Pace(),
  timeoutMs = 100_000,
}: ClientOptions): Client {
  const baseURL = checkedBaseUrl(baseUrl);
  const http = axios.create({
    baseURL,
    // A proxy of the environment would be given the key in clear, for an address that only this machine has.
    ...(baseURL.startsWith('http:') && { proxy: false }),
    headers: { authorization: `Bearer ${apiKey}`, accept: 'application/json' },
    httpAgent: new HttpAgent({ keepAlive: true }),
    httpsAgent: new HttpsAgent({ keepAlive: true }),
    maxRedirects: 0,
    responseType: 'arraybuffer',
    validateStatus: () => true,
  });
  /** The server's words, without the key should it repeat it, and short enough for a line. */
  const quote = (text: string) => text.replaceAll(apiKey, '[api key]').slice(0, 300);

  const client: Client = {
    async get(path, params, call, bucket) {
      const answer = await client.take(path, params, call, bucket, (text) =>
        parseJson(new TextDecoder().decode(text)),
      );
      const { body, answeredAt } = answer;
      if (typeof body !== 'object' || body === null || Array.isArray(body)) {
        const facts = { status: 200, ...(answeredAt !== undefined && { answeredAt }) };
        throw new UnexpectedResponseError(`GET ${path}: 200 with no JSON object`, facts);
      }
      return { ...answer, body: body as JsonObject };
    },
    async take(path, params, call, bucket, take) {
      for (;;) {
        const turn = await pace.turn({
          work: call.work ?? Number.MAX_SAFE_INTEGER,
          ...(call.leaveHalf && { leaveHalf: true }),
          signal: call.waitSignal ? AbortSignal.any([call.signal, call.waitSignal]) : call.signal,
          ...(bucket && { bucket: { ...bucket, name: path } }),
        });
        if (turn.waitedMs > 0) spanSince('wait at the limit', turn.waitedMs);
        const request = { 'http.request.method': 'GET', 'url.path': path };
        const response = await spanned(`GET ${path}`, request, async (span) => {
          const response = await send(http, path, params, call, timeoutMs, turn);
          span.setAttribute('http.response.status_code', response.status);
          return response;
        });
        const headers = rateHeaders(response);
        turn.done(headers);
        const text = response.data as Buffer;
        const bytes = text.byteLength;
        call.onRequest?.({ waitedMs: turn.waitedMs, bytes });
        if (response.status === 429 && (headers.retryAfterMs ?? 0) <= longestWaitMs) continue;
        if (response.status !== 200) throw errorFor(path, params, response, quote);
        try {
          return { body: await take(text), answeredAt: dateOf(response), bytes };
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
          // A proxy's HTML page, or an answer that was cut off: neither is the API's last word.
          const what = /^\s*</.test(text.toString('utf8', 0, 100))
            ? 'HTML'
            : `${bytes} bytes that are no JSON`;
          throw new ApiUnavailableError(`GET ${path}: 200 with ${what}`, factsOf(response));
        }
      }
    },
  };
  return client;
}

async function send(
  http: AxiosInstance,
  path: string,
  params: readonly Param[],
  call: Call,
  timeoutMs: number,
  turn: Turn,
): Promise<AxiosResponse> {
  const abort = new AbortController();
  const cancel = () => abort.abort();
  call.signal.addEventListener('abort', cancel, { once: true });
  // axios' own timeout does not see a body that stops half way.
  const timer = setTimeout(cancel, timeoutMs);
  try {
    call.signal.throwIfAborted();
    const query = new URLSearchParams();
    for (const [name, value] of params) query.append(name, value);
    return await http.get(path, { params: query, signal: abort.signal });
  } catch (error) {
    turn.done();
    // Its wait at the limit was no lack of progress either.
    call.onRequest?.({ waitedMs: turn.waitedMs, bytes: 0 });
    call.signal.throwIfAborted();
    // The error of axios holds the request with its key, so only its code goes on.
    const code = abort.signal.aborted ? `nothing for ${timeoutMs / 1000} s` : codeOf(error);
    const { host } = new URL(http.defaults.baseURL!);
    throw new ApiUnavailableError(`GET ${path}: no whole answer from ${host} (${code})`);
  } finally {
    clearTimeout(timer);
    call.signal.removeEventListener('abort', cancel);
  }
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? 'unknown';
}

function errorFor(
  path: string,
  params: readonly Param[],
  response: AxiosResponse,
  quote: (text: string) => string,
): Error {
  const { status } = response;
  const said = parseError(response.data as Buffer);
  const requestId = said.requestId && quote(said.requestId);
  const facts = { ...factsOf(response), ...(requestId && { requestId }) };
  const words = said.message ? ` ${quote(said.message)}` : '';
  const message = `GET ${path}: ${status}${words}${requestId ? ` (request ${requestId})` : ''}`;
  const retryAfterMs = retryAfter(response);
  const withCursor = params.some(([name]) => name === 'after');
  if (status === 401) return new CredentialsError(message, facts);
  if (status === 403) return new PermissionError(message, said.scope && quote(said.scope), facts);
  if (status === 429) return new RateLimitedError(message, retryAfterMs, facts);
  if (status === 408 || status >= 500) return new ApiUnavailableError(message, facts, retryAfterMs);
  if (withCursor && (status === 404 || status === 422)) return new CursorRejectedError(message, facts);
  if (status === 422) return new FilterRejectedError(message, facts);
  return new UnexpectedResponseError(message, facts);
}

type Said = { readonly requestId?: string; readonly message?: string; readonly scope?: string };

/** What the API's error body says; a proxy's answer may be anything, then nothing is known but the status. */
function parseError(text: Buffer): Said {
  let body: unknown;
  try {
    body = JSON.parse(text.toString());
  } catch {
    return {};
  }
  const requestId = textAt(body, 'request_id');
  const message = textAt(body, 'errors', '0', 'message');
  const scope = textAt(body, 'errors', '0', 'metadata', 'scope');
  return {
    ...(requestId !== undefined && { requestId }),
    ...(message !== undefined && { message }),
    ...(scope !== undefined && { scope }),
  };
}

/** The text under these keys; `undefined` where something else is on the way. */
function textAt(value: unknown, ...keys: readonly string[]): string | undefined {
  const found = keys.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null ? (at as { [key: string]: unknown })[key] : undefined,
    value,
  );
  return typeof found === 'string' ? found : undefined;
}

function factsOf(response: AxiosResponse): RequestFacts {
  const answeredAt = dateOf(response);
  return { status: response.status, ...(answeredAt !== undefined && { answeredAt }) };
}

function dateOf(response: AxiosResponse): number | undefined {
  const at = Date.parse(header(response, 'date') ?? '');
  return Number.isNaN(at) ? undefined : at;
}

/** `X-RateLimit-Limit: 60, 1200;window=60, 60;window=60`: the first number is the limit that binds. */
function rateHeaders(response: AxiosResponse): RateHeaders {
  const limit = integer(header(response, 'x-ratelimit-limit')?.split(',')[0]);
  const remaining = integer(header(response, 'x-ratelimit-remaining'));
  return {
    ...(limit !== undefined && { limit }),
    ...(remaining !== undefined && { remaining }),
    // A 503 may carry Retry-After too; it says nothing of the buckets.
    ...(response.status === 429 && { retryAfterMs: retryAfter(response) ?? unnamedWaitMs }),
  };
}

function retryAfter(response: AxiosResponse): number | undefined {
  const seconds = integer(header(response, 'retry-after'));
  return seconds === undefined ? undefined : seconds * 1000;
}

function header(response: AxiosResponse, name: string): string | undefined {
  const value: unknown = response.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d+\s*$/.test(text) ? Number(text) : undefined;
}

/** The base URL as it is used; plain http would show the key to everybody between, so only to this machine. */
export function checkedBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const loopback = url !== undefined && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && loopback))) {
    throw new UsageError(
      `The base URL ${JSON.stringify(text)} is not usable.`,
      `Give an https:// address such as ${defaultBaseUrl}; http:// only for this machine (127.0.0.1).`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      'The base URL holds a user name or password.',
      'Leave them out; the key goes in a header.',
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new UsageError(
      `The base URL ${JSON.stringify(text)} has a query or a fragment.`,
      `Give the address alone, such as ${defaultBaseUrl}.`,
    );
  }
  return url.href.replace(/\/$/, '');
}
