import { ApiUnavailableError, RateLimitedError, SourceError } from '../src/errors.ts';
import { systemCodeOf } from '../src/failure.ts';
import { longestWaitMs } from '../src/incident-io/bucket.ts';

// When a failed step is worth another attempt, wherever it runs.

/** A server that is down does not know for how long. `attempt` would take a longer delay for a gap and not count it. */
const longestUnavailableMs = 120_000;

/**
 * Whether another attempt may succeed. An error that is neither this project's nor the operating system's is a bug,
 * and a retry would only hide it.
 */
export function isWorthRetrying(error: unknown): boolean {
  if (error instanceof SourceError) return error.retry === 'later' && !isTooLong(error);
  return systemCodeOf(error) !== undefined;
}

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
