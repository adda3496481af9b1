import { AsyncLocalStorage } from 'node:async_hooks';
import { Context } from '@temporalio/activity';

const stopping = new AsyncLocalStorage<() => boolean>();

/** Does the work of an activity, which can then ask whether its worker has begun to stop. */
export function withStopping<T>(isStopping: () => boolean, work: () => Promise<T>): Promise<T> {
  return stopping.run(isStopping, work);
}

/**
 * Tells whether the activity's worker is shutting down: the step then hands over what it has read instead of losing it.
 * The SDK cancels an activity for that, but not a local one.
 */
export function shuttingDown(): () => boolean {
  const context = Context.current();
  const isStopping = stopping.getStore();
  return () => context.cancellationDetails?.workerShutdown === true || isStopping?.() === true;
}
