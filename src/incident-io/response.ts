import type { AxiosResponse } from 'axios';
import {
  ApiUnavailableError,
  CredentialsError,
  CursorRejectedError,
  FilterRejectedError,
  PermissionError,
  RateLimitedError,
  type RequestFacts,
  TableUnavailableError,
  UnexpectedResponseError,
} from '../errors.ts';
import type { RateHeaders } from './pace.ts';

/** The wait after a 429 without `Retry-After`, in milliseconds. The API leaves it out if it does not know the limit. */
const defaultWaitMs = 5_000;

/** A number this large is not a wait (of thirty years) but a time in seconds since the epoch. */
const unlikelySeconds = 1_000_000_000;

/** What is known about a request that got this response. */
export function factsOf(response: AxiosResponse): RequestFacts {
  const answeredAt = answeredAtOf(response);
  return { status: response.status, ...(answeredAt !== undefined && { answeredAt }) };
}

/** The API's clock (`Date` header), milliseconds since the epoch. */
export function answeredAtOf(response: AxiosResponse): number | undefined {
  const at = Date.parse(header(response, 'date') ?? '');
  return Number.isNaN(at) ? undefined : at;
}

/** `X-RateLimit-Limit: 60, 1200;window=60, 60;window=60`: the first number is the limit that binds. */
export function rateHeadersOf(response: AxiosResponse): RateHeaders {
  const limit = integer(header(response, 'x-ratelimit-limit')?.split(',')[0]);
  const remaining = integer(header(response, 'x-ratelimit-remaining'));
  return {
    ...(limit !== undefined && { limit }),
    ...(remaining !== undefined && { remaining }),
    // A 503 may carry Retry-After too, but it says nothing about the limits.
    ...(response.status === 429 && { retryAfterMs: retryAfter(response) ?? defaultWaitMs }),
    isAccepted: response.status !== 429 && response.status < 500,
  };
}

/**
 * The error for a response other than 200.
 * @param withCursor the request carried `after`
 * @param quote makes the server's own words safe to show
 */
export function errorOf(
  response: AxiosResponse,
  path: string,
  withCursor: boolean,
  quote: (text: string) => string,
): Error {
  const { status } = response;
  const body = errorBody(response.data as Buffer);
  const requestId = body.requestId && quote(body.requestId);
  const facts = { ...factsOf(response), ...(requestId && { requestId }) };
  const words = body.message ? ` ${quote(body.message)}` : '';
  const message = `GET ${path}: ${status}${words}${requestId ? ` (request ${requestId})` : ''}`;
  const retryAfterMs = retryAfter(response);
  if (status === 401) return new CredentialsError(message, facts);
  if (status === 403) return new PermissionError(message, body.scope && quote(body.scope), facts);
  if (status === 429) return new RateLimitedError(message, retryAfterMs, facts);
  if (status === 408 || status >= 500) return new ApiUnavailableError(message, facts, retryAfterMs);
  if (withCursor && (status === 404 || status === 422)) return new CursorRejectedError(message, facts);
  if (status === 422) return new FilterRejectedError(message, facts);
  if (status === 402 || status === 404) return new TableUnavailableError(`not available: ${message}`, facts);
  return new UnexpectedResponseError(message, facts);
}

type ErrorBody = { readonly requestId?: string; readonly message?: string; readonly scope?: string };

/** The API's error body. A proxy may answer anything, and then only the status is known. */
function errorBody(text: Buffer): ErrorBody {
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

/** The text under these keys; `undefined` if the path leads to something else. */
function textAt(value: unknown, ...keys: readonly string[]): string | undefined {
  const found = keys.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null ? (at as { [key: string]: unknown })[key] : undefined,
    value,
  );
  return typeof found === 'string' ? found : undefined;
}

/**
 * Milliseconds until the API may be asked again: `Retry-After` is a number of seconds or a date. A date is compared
 * with the `Date` of the same response, because clocks differ.
 */
function retryAfter(response: AxiosResponse): number | undefined {
  const text = header(response, 'retry-after');
  const seconds = integer(text);
  if (seconds !== undefined && seconds < unlikelySeconds) return seconds * 1000;
  // Some proxies send the seconds since the epoch.
  const at = seconds === undefined ? Date.parse(text ?? '') : seconds * 1000;
  return Number.isNaN(at) ? undefined : Math.max(0, at - (answeredAtOf(response) ?? Date.now()));
}

function header(response: AxiosResponse, name: string): string | undefined {
  const value: unknown = response.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d+\s*$/.test(text) ? Number(text) : undefined;
}
