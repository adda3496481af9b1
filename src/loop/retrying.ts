import { setTimeout as sleep } from 'node:timers/promises';
import type { Attempt } from '../../activities/attempt.ts';
import { delayOf, isWorthRetrying } from '../../activities/retries.ts';
import { DestinationCredentialsError, KeyMissingError, TableUnknownError } from '../errors.ts';
import { isLastingSystemError } from '../failure.ts';

/** The same waits as Temporal's between the attempts of a step. */
const firstDelayMs = 1_000;
const longestDelayMs = 30_000;

export type Retrying = {
  /** Ends the attempts, and the waits between them. */
  readonly signal: AbortSignal;
  /** The last failure becomes final once nothing has worked for this many milliseconds. */
  readonly giveUpAfterMs: number;
  /** Called when a wait at the rate limit begins, with its end (milliseconds since the epoch), and without after it. */
  readonly onWait: (until?: number) => void;
};

/** Does a step of a run, again if that may help. Throws the last attempt's own error. */
export async function retrying<T>(
  { signal, giveUpAfterMs, onWait }: Retrying,
  step: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  let failingSince: number | undefined;
  const attempt: Attempt = {
    signal,
    waited: (ms, refused) => {
      if (failingSince !== undefined && !refused) failingSince += ms;
    },
    waitsUntil: onWait,
  };
  for (let failures = 0; ; failures += 1) {
    signal.throwIfAborted();
    try {
      return await step(attempt);
    } catch (error) {
      signal.throwIfAborted();
      failingSince ??= Date.now();
      if (isFinal(error) || Date.now() - failingSince >= giveUpAfterMs) throw error;
      const delay = delayOf(error) ?? Math.min(longestDelayMs, firstDelayMs * 2 ** failures);
      await sleep(delay, undefined, { signal });
    }
  }
}

/** Whether trying again is pointless here: another worker may have what is missing, but this process never will. */
function isFinal(error: unknown): boolean {
  const isLacking =
    error instanceof KeyMissingError ||
    error instanceof DestinationCredentialsError ||
    error instanceof TableUnknownError;
  // Here a person waits for the message, and the platform tries again by itself.
  return isLacking || isLastingSystemError(error) || !isWorthRetrying(error);
}
