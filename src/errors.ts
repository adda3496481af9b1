/**
 * Every error that this project raises itself, classified by what to do about it.
 *
 * `retry` tells a caller what to do, so that no caller has to parse a message:
 * `never`: a person has to change something first · `later`: the same call may succeed.
 * `advice` tells that person what to do, in a sentence or two. Messages name table, column and id, never a row's value.
 */
export abstract class SourceError extends Error {
  abstract readonly retry: 'never' | 'later';
  abstract readonly advice: string;
  override get name(): string {
    return this.constructor.name;
  }
}

/** An error whose advice depends on what happened. */
export abstract class AdvisedError extends SourceError {
  readonly advice: string;
  constructor(message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.advice = advice;
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

/** A request that failed, or was answered with something unexpected. */
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

/** The API key is valid but lacks a scope (403). Other tables continue. */
export class PermissionError extends RequestError {
  readonly retry = 'never';
  /** As the API names it in `errors[0].metadata.scope`, if it does. */
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
  /** Milliseconds until one request will succeed (`Retry-After`), if the API says so. */
  readonly retryAfterMs: number | undefined;
  /**
   * Set if that is too long to wait for: when it is worth asking again, milliseconds since the epoch. A retry before
   * then would not help.
   */
  readonly until: number | undefined;
  constructor(message: string, retryAfterMs: number | undefined, facts: RequestFacts, until?: number) {
    super(message, facts);
    this.retryAfterMs = retryAfterMs;
    this.until = until;
  }
  get advice(): string {
    return this.until === undefined
      ? 'Nothing to do: the run continues when the API allows it.'
      : 'Find out what else uses this API key so much, and sync again when the API allows it; a schedule does so by itself.';
  }
}

/** No answer, a truncated one, one that is not JSON, 408 or 5xx. */
export class ApiUnavailableError extends RequestError {
  readonly retry = 'later';
  readonly advice =
    'Check the network and the status page of incident.io, then try again; scheduled runs retry by themselves.';
  /** Milliseconds, if the answer carried `Retry-After`. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, facts: RequestFacts = {}, retryAfterMs?: number, options?: ErrorOptions) {
    super(message, facts, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** A 404 or 422 on a request that carried `after`, or a cursor that was returned twice: the window is read again. */
export class CursorRejectedError extends RequestError {
  readonly retry = 'never';
  readonly advice = 'Sync the table again; if it happens again, report the request id to incident.io.';
}

/** A 422 on a request without `after`: the endpoint does not accept the filter that was sent. */
export class FilterRejectedError extends RequestError {
  readonly retry = 'never';
  readonly advice = 'Use full_refresh for this table and report the request id.';
}

/** The API gave an answer that its reference rules out. */
export class UnexpectedResponseError extends RequestError {
  readonly retry = 'never';
  readonly advice: string =
    'Check the base URL; if it is right, the API has changed: update incident-io-source.';
}

/** A 402, or a 404 on a request without `after`: this account does not have the list. */
export class TableUnavailableError extends UnexpectedResponseError {
  override readonly advice =
    'The plan of the account may not include it: leave the table out of the settings, or leave it in, and schedules ' +
    'try it once a day. If other tables fail too, check the base URL.';
}

/** The API answered with something other than what was asked for, and would answer the same again. */
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
  readonly advice = 'Report it: the API has changed, or something on the way rewrites its answers.';
}

/** The reference to the key resolves to nothing on this machine. Another worker may have the key. */
export class KeyMissingError extends AdvisedError {
  readonly retry = 'later';
}

/** This worker's version does not have the table. During a deploy another worker may be newer. */
export class TableUnknownError extends SourceError {
  readonly retry = 'later';
  readonly advice = 'Start workers of a version that has the table, and stop the older ones.';
}

/** A table that is read parent by parent has no parents yet: the parent's table was never synced. */
export class ParentMissingError extends AdvisedError {
  readonly retry = 'never';
}

/** The destination cannot hold the table: it is not writable, not safe, or holds something that is not ours. */
export class DestinationError extends AdvisedError {
  readonly retry = 'never';
}

/** The store does not allow these credentials to do what was asked. */
export class DestinationPermissionError extends DestinationError {}

/** This machine has no credentials for the store, or they have expired. Another worker may have them. */
export class DestinationCredentialsError extends AdvisedError {
  readonly retry = 'later';
}

/** The store does not answer, or is throttling. */
export class DestinationUnavailableError extends SourceError {
  readonly retry = 'later';
  readonly advice =
    'Check the network and the address of the store, then try again; scheduled runs retry by themselves. If the store keeps throttling, run fewer syncs at the same time.';
}

/** The work does not fit into the memory that this process may use for it. Another worker may have more. */
export class MemoryLimitError extends SourceError {
  readonly retry = 'later';
  readonly advice =
    'Give the worker more memory (worker --memory 1GiB), or leave the columns out that hold the longest texts.';
  /** @param bytes the limit */
  constructor(bytes: number, options?: ErrorOptions) {
    super(`The work does not fit into the memory limit of ${Math.round(bytes / 1e6)} MB.`, options);
  }
}

/** This worker does not serve the run's destination. */
export class DestinationNotServedError extends AdvisedError {
  readonly retry: 'never' | 'later';
  constructor(message: string, advice: string, retry: 'never' | 'later') {
    super(message, advice);
    this.retry = retry;
  }
}

/** The table holds the data of another incident.io account. */
export class AccountMismatchError extends SourceError {
  readonly retry = 'never';
  readonly advice =
    'Use another destination, or let the table take the other account with incident-io-source resync.';
}

/** The state that a platform has given back does not match what the destination holds now. */
export class StateError extends SourceError {
  readonly retry = 'never';
  readonly advice =
    'Refresh this stream in the platform: that clears its state and loads all rows again. Nothing else fixes it, because rows that were deleted meanwhile cannot be identified.';
}

/** A person asked for something that does not exist or does not make sense. */
export class UsageError extends AdvisedError {
  readonly retry = 'never';
}

/** The SQL cannot be run, or fails while it runs. */
export class QueryError extends AdvisedError {
  readonly retry = 'never';
}

/** The receiver of messages to people refuses one, or does not answer. */
export class NotifyError extends SourceError {
  readonly retry: 'never' | 'later';
  readonly advice =
    'Check the address that notify in the settings leads to. The message is sent again later; runs are not affected.';
  constructor(message: string, retry: 'never' | 'later', options?: ErrorOptions) {
    super(message, options);
    this.retry = retry;
  }
}

/** The Temporal server cannot be reached or started. */
export class TemporalUnavailableError extends AdvisedError {
  readonly retry = 'later';
}
