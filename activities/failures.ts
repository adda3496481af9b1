import { ApplicationFailure } from '@temporalio/common';
import { ApiUnavailableError, RateLimitedError, RequestError, SourceError } from '../src/errors.ts';
import { longestWaitMs } from '../src/incident-io/pace.ts';

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
    const nextRetryDelay = delayOf(error);
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
      ...(nextRetryDelay !== undefined && { nextRetryDelay }),
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

/** A server that is down does not know for how long. Longer ones would pass for breaks, which `attempt` does not count. */
const longestUnavailableMs = 120_000;

/** Milliseconds that the API asked for before the next attempt, in reason: nobody else tries while a run waits. */
function delayOf(error: SourceError): number | undefined {
  if (error instanceof RateLimitedError) return atMost(longestWaitMs, error.retryAfterMs);
  if (error instanceof ApiUnavailableError) return atMost(longestUnavailableMs, error.retryAfterMs);
  return undefined;
}

function atMost(most: number, ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.min(most, ms);
}
