import { ApplicationFailure } from '@temporalio/common';
import { RequestError, SourceError } from '../src/errors.ts';
import { systemCodeOf } from '../src/failure.ts';
import { delayOf, isWorthRetrying } from './retries.ts';

/** What a failure carries in addition to its message, for the report and for `status`. */
export type FailureDetails = {
  readonly advice: string;
  /** `later`: the next run may succeed unchanged · `never`: a person has to change something first. */
  readonly retry: 'never' | 'later';
  readonly status?: number;
  readonly requestId?: string;
};

/**
 * The only place where errors become Temporal's. An error that is neither this project's nor the operating system's
 * is a bug, and a retry would only hide it.
 *
 * @param gaveUp set if there was no progress for as long as the run allows, so that even a passing failure ends it.
 */
export function toFailure(error: unknown, gaveUp?: string): ApplicationFailure {
  const { message } = error as Error;
  const said = gaveUp === undefined ? message : `${gaveUp}: ${message}`;
  if (error instanceof SourceError) {
    const nextRetryDelay = delayOf(error);
    return ApplicationFailure.create({
      type: error.name,
      message: said,
      nonRetryable: !isWorthRetrying(error) || gaveUp !== undefined,
      details: [
        {
          advice: error.advice,
          retry: error.retry,
          ...(error instanceof RequestError && error.facts),
        } satisfies FailureDetails,
      ],
      ...(nextRetryDelay !== undefined && { nextRetryDelay }),
    });
  }
  const code = systemCodeOf(error);
  if (code !== undefined) {
    const advice = 'Check the disk of the destination: free space, permissions, and the limit of open files.';
    return ApplicationFailure.create({
      type: code,
      message: said,
      nonRetryable: gaveUp !== undefined,
      details: [{ advice, retry: 'later' } satisfies FailureDetails],
    });
  }
  const advice = 'This is a bug in incident-io-source: please report it with this message.';
  return ApplicationFailure.fromError(error, {
    nonRetryable: true,
    details: [{ advice, retry: 'never' } satisfies FailureDetails],
  });
}
