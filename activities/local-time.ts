import { setMaxListeners } from 'node:events';
import { Context } from '@temporalio/activity';
import { ApiUnavailableError } from '../src/errors.ts';
import type { Attempt } from './attempt.ts';
import { TimeUp } from './extract-batch.ts';
import type { Step } from './step.ts';

/**
 * A step within a workflow task holds the task open: nobody can ask the run how far it is, and a cancellation reaches
 * it seconds later. So an activity waits for an API that is slow or refuses requests.
 */
const localMs = 5_000;
/** How often to look whether the worker is shutting down. */
const lookEveryMs = 100;

/**
 * Does a step. If it is a local activity, its requests and its waits at the rate limit end when it has taken too long,
 * or when the worker shuts down. Windows that have rows by then hand them over; otherwise the attempt fails, and
 * another one may succeed. A commit is not ended.
 */
export async function inLocalTime<T>(
  step: Step,
  attempt: Attempt,
  stopping: () => boolean,
  work: (step: Step, attempt: Attempt) => Promise<T>,
): Promise<T> {
  if (!Context.current().info.isLocal) return work(step, attempt);
  const over = new AbortController();
  const began = performance.now();
  const timer = setInterval(() => {
    if (stopping() || performance.now() - began > localMs) over.abort(new TimeUp());
  }, lookEveryMs);
  const signal = AbortSignal.any([attempt.signal, over.signal]);
  // Each of the requests sent side by side adds a listener for as long as it lasts.
  setMaxListeners(0, signal);
  try {
    return await work({ ...step, call: { ...step.call, signal } }, { ...attempt, signal });
  } catch (error) {
    if (!(error instanceof TimeUp)) throw error;
    const { name } = step.table;
    throw new ApiUnavailableError(
      stopping()
        ? `${name}: the worker shuts down`
        : `${name}: not read within ${localMs / 1_000} s, so an activity continues`,
    );
  } finally {
    clearInterval(timer);
  }
}
