import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { defined } from '../defined.ts';
import { ApiUnavailableError, RateLimitedError, UnexpectedResponseError } from '../errors.ts';
import { spanned, spanSince } from '../spans.ts';
import { checkedBaseUrl, isLoopback } from './base-url.ts';
import { type BucketLimit, longestWaitMs } from './bucket.ts';
import { clock, Pace, PatienceExhausted, type Turn } from './pace.ts';
import { answeredAtOf, errorOf, rateHeadersOf } from './response.ts';

/** A query parameter; a name may occur several times (`status_category[one_of]=a&status_category[one_of]=b`). */
export type Param = readonly [name: string, value: string];

/** How a caller learns about its requests, and how it stops them. */
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
  /** Leaves half of the rate limit to the user's other tools; see `Pace`. */
  readonly leaveHalf?: true;
  /**
   * Milliseconds for which the API may refuse requests with 429; a longer refusal, or being asked to wait for longer,
   * ends the call. Five minutes if left out.
   */
  readonly patienceMs?: number;
  /** Called for every request sent. */
  readonly onRequest?: (request: SentRequest) => void;
  /**
   * Called when a wait after a refusal begins or changes, with its end (milliseconds since the epoch); called without
   * when it is over.
   */
  readonly onRefused?: (until?: number) => void;
};

export type SentRequest = {
  /** Milliseconds it waited at the limit. */
  readonly waitedMs: number;
  /** It waited because the API refused requests: until then the call made no progress. */
  readonly refused: boolean;
  /** Bytes of the response; 0 if there was none. */
  readonly bytes: number;
};

/** For questions that a person waits for. */
const defaultPatienceMs = 5 * 60_000;

/**
 * The most bytes of an answer, unpacked. The largest ones usually have ten megabytes. An answer takes
 * several times its size in memory, and eight cursors of a table may have one each.
 */
const largestAnswer = 64 * 2 ** 20;

/** All keys use the same host, so they share its connections: a run then rarely has to open one. */
const agents = {
  httpAgent: new HttpAgent({ keepAlive: true }),
  httpsAgent: new HttpsAgent({ keepAlive: true }),
};

export type Answer = {
  /** The body. */
  readonly text: Buffer;
  /** The API's clock (`Date` header), milliseconds since the epoch; `undefined` if the answer has none. */
  readonly answeredAt: number | undefined;
};

export type Client = {
  /**
   * One GET, sent when the limits allow; a 429 is waited out, if that does not take too long. Only a 200 is an
   * answer: for any other status it throws one of the errors in `errors.ts`.
   */
  get(path: string, params: readonly Param[], call: Call, bucket?: BucketLimit): Promise<Answer>;
};

export type ClientOptions = {
  /** May be left out for requests that need no key. */
  readonly apiKey?: string;
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
    // A proxy set in the environment would see the key in clear, and cannot reach an address that only this machine has.
    ...(isLoopback(new URL(baseURL)) && { proxy: false }),
    headers: {
      accept: 'application/json',
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    },
    ...agents,
    maxRedirects: 0,
    maxContentLength: largestAnswer,
    responseType: 'arraybuffer',
    validateStatus: () => true,
  });
  /** The server's words, without the key in case it repeats it, and short enough for a line. */
  const quote = (text: string) =>
    (apiKey === undefined ? text : text.replaceAll(apiKey, '[api key]')).slice(0, 300);

  return {
    async get(path, params, call, bucket) {
      const began = clock();
      let refusal: Error | undefined;
      for (;;) {
        const turn = await turnFor(pace, path, call, began, bucket).catch((error: unknown) => {
          throw error instanceof PatienceExhausted ? rateLimited(path, error, refusal) : error;
        });
        const request = { 'http.request.method': 'GET', 'url.path': path };
        const response = await spanned(`GET ${path}`, request, async (span) => {
          const response = await send(http, path, params, call, timeoutMs, turn);
          span.setAttribute('http.response.status_code', response.status);
          return response;
        });
        const headers = rateHeadersOf(response);
        turn.done(headers);
        const text = response.data as Buffer;
        call.onRequest?.({ ...waitOf(turn), bytes: text.byteLength });
        if (response.status === 200) return { text, answeredAt: answeredAtOf(response) };
        const withCursor = params.some(([name]) => name === 'after');
        const error = errorOf(response, path, withCursor, quote);
        const patienceMs = call.patienceMs ?? defaultPatienceMs;
        const { retryAfterMs } = headers;
        // A caller that may wait longer than that waits elsewhere: here it would occupy a slot of the worker meanwhile.
        const waitsElsewhere =
          retryAfterMs !== undefined && retryAfterMs > longestWaitMs && retryAfterMs <= patienceMs;
        if (retryAfterMs === undefined || waitsElsewhere) throw error;
        refusal = error;
      }
    },
  };
}

async function turnFor(
  pace: Pace,
  path: string,
  call: Call,
  began: number,
  bucket: BucketLimit | undefined,
): Promise<Turn> {
  const { work = Number.MAX_SAFE_INTEGER, leaveHalf, signal, waitSignal, onRefused } = call;
  const turn = await pace.turn({
    work,
    signal: waitSignal ? AbortSignal.any([signal, waitSignal]) : signal,
    patience: { ms: call.patienceMs ?? defaultPatienceMs, began },
    ...defined({ leaveHalf, onRefused, bucket: bucket && { ...bucket, name: path } }),
  });
  if (turn.refused) onRefused?.();
  if (turn.waitedMs > 0) spanSince('wait at the limit', turn.waitedMs);
  return turn;
}

/** The API has refused requests for too long. `refusal` is what it said to this call, if it said anything to it. */
function rateLimited(
  path: string,
  { refusedMs, until }: PatienceExhausted,
  refusal: Error | undefined,
): RateLimitedError {
  const facts = refusal instanceof RateLimitedError ? refusal.facts : {};
  const message = `${refusal?.message ?? `GET ${path} was not sent`}: the API has refused requests for ${Math.round(refusedMs / 1_000)} s and may be asked again at ${new Date(until).toISOString()}`;
  return new RateLimitedError(message, until - Date.now(), facts, until);
}

function waitOf({ waitedMs, refused }: Turn): Pick<SentRequest, 'waitedMs' | 'refused'> {
  return { waitedMs, refused };
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
    call.onRequest?.({ ...waitOf(turn), bytes: 0 });
    call.signal.throwIfAborted();
    if (isTooLarge(error)) {
      throw new UnexpectedResponseError(
        `GET ${path}: the answer is larger than ${largestAnswer / 2 ** 20} MiB`,
      );
    }
    // The error of axios holds the request with its key, so only its code is kept.
    const code = abort.signal.aborted ? `nothing for ${timeoutMs / 1000} s` : codeOf(error);
    const { host } = new URL(http.defaults.baseURL!);
    throw new ApiUnavailableError(`GET ${path}: no complete answer from ${host} (${code})`);
  } finally {
    clearTimeout(timer);
    call.signal.removeEventListener('abort', cancel);
  }
}

/** Only an answer beyond `maxContentLength` is a bad response of which axios keeps nothing. */
function isTooLarge(error: unknown): boolean {
  return axios.isAxiosError(error) && error.code === 'ERR_BAD_RESPONSE' && error.response === undefined;
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? 'unknown';
}
