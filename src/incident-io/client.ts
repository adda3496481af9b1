import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { ApiUnavailableError } from '../errors.ts';
import { spanned, spanSince } from '../spans.ts';
import { checkedBaseUrl } from './base-url.ts';
import { type BucketLimit, longestWaitMs } from './bucket.ts';
import { Pace, type Turn } from './pace.ts';
import { answeredAtOf, errorOf, rateHeadersOf } from './response.ts';

/** A query parameter; a name may occur several times (`status_category[one_of]=a&status_category[one_of]=b`). */
export type Param = readonly [name: string, value: string];

/** What a caller wants to know about its requests, and how it stops them. */
export type Call = {
  /** Ends the request, and the wait for it. */
  readonly signal: AbortSignal;
  /** Ends only a wait for a token or for `Retry-After`; a request that was already sent continues. */
  readonly waitSignal?: AbortSignal;
  /**
   * How many more requests this cursor needs, see `Pace`. Left out, the request goes first: it is one of the few
   * before a run's cursors or at its commit, and everything else in the run waits for it.
   */
  readonly work?: number;
  /** Leaves half of the allowance to the user's other tools; see `Pace`. */
  readonly leaveHalf?: true;
  /** Called for every request sent, with the milliseconds it waited at the limit. */
  readonly onRequest?: (request: { readonly waitedMs: number; readonly bytes: number }) => void;
};

export type Answer = {
  /** The body. */
  readonly text: Buffer;
  /** The API's clock (`Date` header), milliseconds since the epoch; `undefined` if the answer has none. */
  readonly answeredAt: number | undefined;
};

export type Client = {
  /**
   * One GET, sent when the limits allow; a 429 is waited out. Only a 200 is an answer: for any other status it
   * throws one of the errors in `errors.ts`.
   */
  get(path: string, params: readonly Param[], call: Call, bucket?: BucketLimit): Promise<Answer>;
};

export type ClientOptions = {
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly pace?: Pace;
  /** Milliseconds for one request, from the first byte sent to the last one read. */
  readonly timeoutMs?: number;
};

/**
 * The incident.io API with one key. Keeps connections alive and follows no redirect, which would carry the key
 * elsewhere. Throws `UsageError` for a base URL that `checkedBaseUrl` refuses.
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
    // A proxy set in the environment would see the key in clear, and only this machine has such an address.
    ...(baseURL.startsWith('http:') && { proxy: false }),
    headers: { authorization: `Bearer ${apiKey}`, accept: 'application/json' },
    httpAgent: new HttpAgent({ keepAlive: true }),
    httpsAgent: new HttpsAgent({ keepAlive: true }),
    maxRedirects: 0,
    responseType: 'arraybuffer',
    validateStatus: () => true,
  });
  /** The server's words, without the key in case it repeats it, and short enough for a line. */
  const quote = (text: string) => text.replaceAll(apiKey, '[api key]').slice(0, 300);

  return {
    async get(path, params, call, bucket) {
      for (;;) {
        const turn = await turnFor(pace, path, call, bucket);
        const request = { 'http.request.method': 'GET', 'url.path': path };
        const response = await spanned(`GET ${path}`, request, async (span) => {
          const response = await send(http, path, params, call, timeoutMs, turn);
          span.setAttribute('http.response.status_code', response.status);
          return response;
        });
        const headers = rateHeadersOf(response);
        turn.done(headers);
        const text = response.data as Buffer;
        call.onRequest?.({ waitedMs: turn.waitedMs, bytes: text.byteLength });
        if (response.status === 200) return { text, answeredAt: answeredAtOf(response) };
        if (response.status === 429 && (headers.retryAfterMs ?? 0) <= longestWaitMs) continue;
        const withCursor = params.some(([name]) => name === 'after');
        throw errorOf(response, path, withCursor, quote);
      }
    },
  };
}

async function turnFor(
  pace: Pace,
  path: string,
  { work = Number.MAX_SAFE_INTEGER, leaveHalf, signal, waitSignal }: Call,
  bucket: BucketLimit | undefined,
): Promise<Turn> {
  const turn = await pace.turn({
    work,
    ...(leaveHalf && { leaveHalf }),
    signal: waitSignal ? AbortSignal.any([signal, waitSignal]) : signal,
    ...(bucket && { bucket: { ...bucket, name: path } }),
  });
  if (turn.waitedMs > 0) spanSince('wait at the limit', turn.waitedMs);
  return turn;
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
  // The timeout of axios does not notice a body that stops half way.
  const timer = setTimeout(cancel, timeoutMs);
  try {
    call.signal.throwIfAborted();
    const query = new URLSearchParams();
    for (const [name, value] of params) query.append(name, value);
    return await http.get(path, { params: query, signal: abort.signal });
  } catch (error) {
    turn.done();
    // Its wait at the limit was not a lack of progress either.
    call.onRequest?.({ waitedMs: turn.waitedMs, bytes: 0 });
    call.signal.throwIfAborted();
    // The error of axios holds the request with its key, so only its code is kept.
    const code = abort.signal.aborted ? `nothing for ${timeoutMs / 1000} s` : codeOf(error);
    const { host } = new URL(http.defaults.baseURL!);
    throw new ApiUnavailableError(`GET ${path}: no complete answer from ${host} (${code})`);
  } finally {
    clearTimeout(timer);
    call.signal.removeEventListener('abort', cancel);
  }
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? 'unknown';
}
