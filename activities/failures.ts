import { ApplicationFailure } from '@temporalio/common';
import { ApiUnavailableError, RateLimitedError, RequestError, SourceError } from '../src/errors.ts';

/** What a failure carries beside its message, for the report and for `status`. */
export type FailureDetails = {
  readonly advice: string;
  readonly status?: number;
  readonly requestId?: string;
};

/**
 * The one place where this project's errors become Temporal's; another error is a bug and passes untouched.
 *
 * @param gaveUp no progress for as long as the run allows, so that even a passing failure ends it.
 */
export function toFailure(error: unknown, gaveUp?: string): unknown {
  if (!(error instanceof SourceError)) return error;
  const waits = error instanceof RateLimitedError || error instanceof ApiUnavailableError;
  const details: FailureDetails = {
    advice: error.advice,
    ...(error instanceof RequestError && error.facts),
  };
  return ApplicationFailure.create({
    type: error.name,
    message: gaveUp === undefined ? error.message : `${gaveUp}: ${error.message}`,
    nonRetryable: error.retry === 'never' || gaveUp !== undefined,
    details: [details],
    ...(waits && error.retryAfterMs !== undefined && { nextRetryDelay: error.retryAfterMs }),
  });
}
