import { setMaxListeners } from 'node:events';
import { Context } from '@temporalio/activity';
import { defined } from '../src/defined.ts';
import { SourceError } from '../src/errors.ts';
import type { Beat } from './contract.ts';
import { toFailure } from './failures.ts';
import { delayOf } from './retries.ts';

/** Often enough that a cancellation is prompt; the worker sends at most one heartbeat in three seconds. */
const beatMs = 2_000;

/**
 * A gap between two attempts that no back-off explains: no worker, no server, or a laptop asleep. Time without attempts
 * says nothing about whether they would work, so the count starts again.
 */
const gapMs = 180_000;

export type Attempt = {
  readonly signal: AbortSignal;
  /**
   * Call it once per request with the milliseconds it waited at the rate limit. They are not a lack of progress unless
   * the API refused requests meanwhile.
   */
  readonly waited: (ms: number, refused: boolean) => void;
  /** Call it when a wait at the rate limit begins, with its end (milliseconds since the epoch), and without after it. */
  readonly waitsUntil: (at?: number) => void;
};

/**
 * Runs one attempt of an activity: sends heartbeats while it lasts, turns its errors into Temporal's, and makes the
 * failure final once nothing has worked for `giveUpAfterMs`. It does not count attempts, because a worker's shutdown
 * uses one up.
 */
export async function attempt<T>(giveUpAfterMs: number, work: (attempt: Attempt) => Promise<T>): Promise<T> {
  const context = Context.current();
  // Each of the requests sent side by side adds a listener for as long as it lasts.
  setMaxListeners(0, context.cancellationSignal);
  let failingSince = failingSinceOf(context.info.heartbeatDetails as Beat | undefined, Date.now());
  let waitingUntil: number | undefined;
  const beat = () => {
    // A local activity has no heartbeats; each one would only be a warning in the log.
    if (context.info.isLocal) return;
    context.heartbeat({ at: Date.now(), ...defined({ failingSince, waitingUntil }) } satisfies Beat);
  };
  // Heartbeats are billed and most activities end within a second, so the first attempt sends none at the start. A
  // later one does: otherwise attempts that all die within two seconds would never be counted.
  if (context.info.attempt > 1) beat();
  const timer = setInterval(beat, beatMs);
  try {
    return await work({
      signal: context.cancellationSignal,
      waited: (ms, refused) => {
        if (failingSince !== undefined && !refused) failingSince += ms;
      },
      waitsUntil: (at) => {
        waitingUntil = at;
      },
    });
  } catch (error) {
    // When a cancellation ends other people's code, that is not a failure. Our own errors are still reported in our
    // words: their causes, such as those of a vault, must not get into a history.
    if (context.cancellationSignal.aborted && !(error instanceof SourceError)) throw error;
    const now = Date.now();
    failingSince ??= now;
    const delay = delayOf(error);
    waitingUntil = delay === undefined ? undefined : now + delay;
    beat();
    const minutes = Math.round((now - failingSince) / 6_000) / 10;
    throw toFailure(
      error,
      now - failingSince >= giveUpAfterMs ? `No progress for ${minutes} minutes` : undefined,
    );
  } finally {
    clearInterval(timer);
  }
}

/** Since when nothing has worked, according to the last heartbeat of the attempt before. */
function failingSinceOf(before: Beat | undefined, now: number): number | undefined {
  if (!before || now - Math.max(before.at, before.waitingUntil ?? 0) >= gapMs) return undefined;
  // An attempt that died without reporting was alive at its last heartbeat.
  return before.failingSince ?? before.at;
}
