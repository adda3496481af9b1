import { ApplicationFailure } from '@temporalio/common';
import { ApiUnavailableError, RateLimitedError, RequestError, SourceError } from '../src/errors.ts';
import { longestWaitMs } from '../src/incident-io/bucket.ts';

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
      nonRetryable: error.retry === 'never' || gaveUp !== undefined || isTooLong(error),
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
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && /^E[A-Z]+$/.test(code)) {
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

/** A server that is down does not know for how long. `attempt` would take a longer delay for a gap and not count it. */
const longestUnavailableMs = 120_000;

/** The API refuses requests for longer than the run may go without progress. */
function isTooLong(error: SourceError): boolean {
  return error instanceof RateLimitedError && error.until !== undefined;
}

/** Milliseconds until the next attempt, as the API asked, within a limit: nothing else tries while a run waits. */
export function delayOf(error: unknown): number | undefined {
  if (error instanceof RateLimitedError) return atMost(longestWaitMs, error.retryAfterMs);
  if (error instanceof ApiUnavailableError) return atMost(longestUnavailableMs, error.retryAfterMs);
  return undefined;
}

function atMost(most: number, ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.min(most, ms);
}
