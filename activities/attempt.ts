import { setMaxListeners } from 'node:events';
import { Context } from '@temporalio/activity';
import { SourceError } from '../src/errors.ts';
import { toFailure } from './failures.ts';

/**
 * What the attempts of an activity tell each other through heartbeats: since when nothing worked. Times are
 * milliseconds since the epoch, by the worker's clock.
 */
export type Beat = {
  readonly failingSince?: number;
  readonly at: number;
};

/** Often enough that a cancellation is prompt; the worker sends no more than one in three seconds. */
const beatMs = 2_000;

/**
 * A break between two attempts that no back-off explains: no worker, no server, a laptop asleep. Time that
 * nobody tried in says nothing about whether trying works, so the count starts anew.
 */
const breakMs = 180_000;

export type Attempt = {
  readonly signal: AbortSignal;
  /** Called once a request, with its milliseconds of waiting at the limit: they are no lack of progress. */
  readonly waited: (ms: number) => void;
};

/**
 * Runs one attempt of an activity: heartbeats while it lasts, turns its errors into Temporal's, and makes the
 * failure final once no attempt has worked for `giveUpAfterMs`. Attempts are not counted: a worker's shutdown
 * spends one.
 */
export async function attempt<T>(giveUpAfterMs: number, work: (attempt: Attempt) => Promise<T>): Promise<T> {
  const context = Context.current();
  const before = context.info.heartbeatDetails as Beat | undefined;
  const began = Date.now();
  // Requests sent side by side listen to it, each for as long as it lasts.
  setMaxListeners(0, context.cancellationSignal);
  let failingSince: number | undefined;
  if (before && began - before.at < breakMs) {
    // An attempt that died without a word was alive at its last beat.
    failingSince = before.failingSince ?? before.at;
  }
  const beat = () =>
    context.heartbeat({ at: Date.now(), ...(failingSince !== undefined && { failingSince }) } satisfies Beat);
  // Each is billed, and most activities are over within a second. An attempt after another one tells at once that it
  // lived, or attempts that all die within two seconds would never be counted.
  if (context.info.attempt > 1) beat();
  const timer = setInterval(beat, beatMs);
  try {
    return await work({
      signal: context.cancellationSignal,
      waited: (ms) => {
        if (failingSince !== undefined) failingSince += ms;
      },
    });
  } catch (error) {
    // What a cancellation ends in others' code is no failure. Ours are told in our words even then: a cause of theirs,
    // such as a vault's, has no place in a history.
    if (context.cancellationSignal.aborted && !(error instanceof SourceError)) throw error;
    const now = Date.now();
    failingSince ??= now;
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
