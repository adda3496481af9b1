import { ApplicationFailure } from '@temporalio/common';
import { ApiUnavailableError, RateLimitedError, RequestError, SourceError } from '../src/errors.ts';

/** What a failure carries beside its message, for the report and for `status`. */
export type FailureDetails = {
  readonly advice: string;
  /** `later`: the next run may succeed as things are · `never`: a person has to change something first. */
  readonly retry: 'never' | 'later';
  readonly status?: number;
  readonly requestId?: string;
};

/**
 * The one place where errors become Temporal's. What is neither this project's error nor the operating system's is
 * a bug: retrying would only hide it.
 *
 * @param gaveUp no progress for as long as the run allows, so that even a passing failure ends it.
 */
export function toFailure(error: unknown, gaveUp?: string): ApplicationFailure {
  const { message } = error as Error;
  const said = gaveUp === undefined ? message : `${gaveUp}: ${message}`;
  if (error instanceof SourceError) {
    const waits = error instanceof RateLimitedError || error instanceof ApiUnavailableError;
    return ApplicationFailure.create({
      type: error.name,
      message: said,
      nonRetryable: error.retry === 'never' || gaveUp !== undefined,
      details: [
        {
          advice: error.advice,
          retry: error.retry,
          ...(error instanceof RequestError && error.facts),
        } satisfies FailureDetails,
      ],
      ...(waits && error.retryAfterMs !== undefined && { nextRetryDelay: error.retryAfterMs }),
    });
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && /^E[A-Z]+$/.test(code)) {
    const advice = 'Check the disk of the destination: free space, permissions, open files.';
    return ApplicationFailure.create({
      type: code,
      message: said,
      nonRetryable: gaveUp !== undefined,
      details: [{ advice, retry: 'later' } satisfies FailureDetails],
    });
  }
  const advice = 'This is a defect of incident-io-source: report it with this message.';
  return ApplicationFailure.fromError(error, {
    nonRetryable: true,
    details: [{ advice, retry: 'never' } satisfies FailureDetails],
  });
}
