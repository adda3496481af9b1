import { setMaxListeners } from 'node:events';
import { Context } from '@temporalio/activity';
import { ApiUnavailableError } from '../src/errors.ts';
import type { Attempt } from './attempt.ts';
import { TimeUp } from './extract-batch.ts';
import type { Step } from './step.ts';

/**
 * A step within a workflow task holds the task open: nobody can ask the run how far it is, and a cancellation reaches
 * it seconds later. So an API that is slow, or that refuses requests, is waited for by an activity instead.
 */
const localMs = 20_000;

/**
 * Does a step, and ends its requests and its waits at the rate limit if it is a local activity that takes too long.
 * Windows that have rows by then hand them over; otherwise the attempt fails in a way that another one may not.
 * A merge is not ended.
 */
export async function inLocalTime<T>(
  step: Step,
  attempt: Attempt,
  work: (step: Step, attempt: Attempt) => Promise<T>,
): Promise<T> {
  if (!Context.current().info.isLocal) return work(step, attempt);
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(new TimeUp()), localMs);
  const signal = AbortSignal.any([attempt.signal, over.signal]);
  // Each of the requests sent side by side adds a listener for as long as it lasts.
  setMaxListeners(0, signal);
  try {
    return await work({ ...step, call: { ...step.call, signal } }, { ...attempt, signal });
  } catch (error) {
    if (!(error instanceof TimeUp)) throw error;
    throw new ApiUnavailableError(
      `${step.table.name}: not read within ${localMs / 1_000} s; an activity continues`,
    );
  } finally {
    clearTimeout(timer);
  }
}
