/**
 * Every error this project raises itself, by what to do about it.
 *
 * `retry` says what a caller should do, so that nobody reads a message to find out:
 * `never`: a person has to change something first · `later`: the same call may succeed.
 * `advice` is one sentence for that person. Messages name table, column and id, never a row's value.
 */
export abstract class SourceError extends Error {
  abstract readonly retry: 'never' | 'later';
  abstract readonly advice: string;
  override get name(): string {
    return this.constructor.name;
  }
}

/** Facts of a failed request that people quote to the vendor's support. */
export type RequestFacts = {
  readonly status?: number;
  /** The API's `request_id`. */
  readonly requestId?: string;
  /** The API's clock (`Date` header) when it answered, milliseconds since the epoch. */
  readonly answeredAt?: number;
};

/** A request that did not give what it was sent for. */
export abstract class RequestError extends SourceError {
  readonly facts: RequestFacts;
  constructor(message: string, facts: RequestFacts = {}, options?: ErrorOptions) {
    super(message, options);
    this.facts = facts;
  }
}

/** The API key is wrong or revoked (401). */
export class CredentialsError extends RequestError {
  readonly retry = 'never';
  readonly advice =
    'Create an API key in incident.io under Settings → API keys and put it where this connection reads its key.';
}

/** The API key is good and lacks a scope (403). Other tables go on. */
export class PermissionError extends RequestError {
  readonly retry = 'never';
  /** As the API names it (`errors[0].metadata.scope`), where it does. */
  readonly scope: string | undefined;
  constructor(message: string, scope: string | undefined, facts: RequestFacts) {
    super(message, facts);
    this.scope = scope;
  }
  get advice(): string {
    return this.scope === undefined
      ? 'Grant the API key the view permission of this resource in incident.io under Settings → API keys.'
      : `Grant the API key the scope ${this.scope} in incident.io under Settings → API keys.`;
  }
}

/** The API asked us to slow down (429). */
export class RateLimitedError extends RequestError {
  readonly retry = 'later';
  readonly advice = 'Nothing to do: the run goes on when the API allows it.';
  /** Milliseconds until one request will succeed (`Retry-After`), where the API says. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, retryAfterMs: number | undefined, facts: RequestFacts) {
    super(message, facts);
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer, half an answer, an answer that is not JSON, 408 or 5xx. */
export class ApiUnavailableError extends RequestError {
  readonly retry = 'later';
  readonly advice =
    'Check the network and the status page of incident.io, then try again; scheduled runs do so by themselves.';
  /** Milliseconds, where the answer carried `Retry-After`. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, facts: RequestFacts = {}, retryAfterMs?: number, options?: ErrorOptions) {
    super(message, facts, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** A 404 or 422 on a request that carried `after`, or a cursor that came again: the window is read anew. */
export class CursorRejectedError extends RequestError {
  readonly retry = 'never';
  readonly advice = 'Sync the table again; if it happens again, report the request id to incident.io.';
}

/** A 422 on a request without `after`: the endpoint does not take the filter that was sent. */
export class FilterRejectedError extends RequestError {
  readonly retry = 'never';
  readonly advice = 'Use full_refresh for this table and report the request id.';
}

/** The API answered something its reference rules out. */
export class UnexpectedResponseError extends RequestError {
  readonly retry = 'never';
  readonly advice = 'Check the base URL; if it is right, the API has changed: update incident-io-source.';
}

/** The API answered, with something other than what was asked for, and would answer the same again. */
export function isRefusal(
  error: unknown,
): error is PermissionError | FilterRejectedError | UnexpectedResponseError {
  return (
    error instanceof PermissionError ||
    error instanceof FilterRejectedError ||
    error instanceof UnexpectedResponseError
  );
}

/** A record lacks its primary key. */
export class RecordShapeError extends SourceError {
  readonly retry = 'never';
  readonly advice = 'The API has changed, or something between it and here rewrites answers: report it.';
}

/** The key reference resolves to nothing on this machine. Another worker may have it. */
export class KeyMissingError extends SourceError {
  readonly retry = 'later';
  readonly advice: string;
  constructor(message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.advice = advice;
  }
}

/** The worker's version has no such table. Another worker may have a newer one: a deploy goes worker by worker. */
export class TableUnknownError extends SourceError {
  readonly retry = 'later';
  readonly advice = 'Start workers of the version that has the table, and stop the older ones.';
}

/** The destination cannot take the table: not writable, or it holds something that is not ours. */
export class DestinationError extends SourceError {
  readonly retry = 'never';
  readonly advice: string;
  constructor(message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.advice = advice;
  }
}

/** The store does not let these credentials do what it was asked. */
export class DestinationPermissionError extends DestinationError {}

/** This machine has no credentials for the store, or they have expired. Another worker may have them. */
export class DestinationCredentialsError extends SourceError {
  readonly retry = 'later';
  readonly advice: string;
  constructor(message: string, advice: string) {
    super(message);
    this.advice = advice;
  }
}

/** The store gives no answer, or asks to be left alone for a while. */
export class DestinationUnavailableError extends SourceError {
  readonly retry = 'later';
  readonly advice =
    'Check the network and the address of the store, then try again; scheduled runs do so by themselves. A store that often asks to slow down has to be asked by fewer runs at once.';
}

/** The table is fed by another incident.io account. */
export class AccountMismatchError extends SourceError {
  readonly retry = 'never';
  readonly advice =
    'Use another destination, or let the table take the other account with incident-io-source resync.';
}

/** What a person asked for does not exist or does not fit. */
export class UsageError extends SourceError {
  readonly retry = 'never';
  readonly advice: string;
  constructor(message: string, advice: string) {
    super(message);
    this.advice = advice;
  }
}

/** The Temporal server cannot be reached or started. */
export class TemporalUnavailableError extends SourceError {
  readonly retry = 'later';
  readonly advice: string;
  constructor(message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.advice = advice;
  }
}
