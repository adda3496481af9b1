import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure } from '@temporalio/common/lib/failure.js';
import type { Failure } from '../src/failure.ts';
import { RunFailure } from './run-failure.ts';

/**
 * The reason of a failure, without Temporal's wrappers: the failure of an activity or a child workflow only says
 * "Activity task failed"; the reason is its cause.
 */
export function asApplicationFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof RunFailure) {
    const { type, message, advice } = error;
    return ApplicationFailure.nonRetryable(message, type, { advice });
  }
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) {
    return asApplicationFailure(error.cause ?? new Error(error.message));
  }
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  return ApplicationFailure.create({ type: name, message, nonRetryable: true });
}

/** What a failed run reports: the error's class, what went wrong, and what to do about it. */
export function failureOfRun(error: unknown): Failure {
  const failure = asApplicationFailure(error);
  const { type, message } = failure;
  return { error: type ?? 'Error', message, advice: adviceOf(failure) };
}

/** The sentence that says what to do; a general one if the failure carries none. */
export function adviceOf(failure: ApplicationFailure): string {
  const advice = (failure.details?.[0] as { advice?: unknown } | undefined)?.advice;
  return typeof advice === 'string'
    ? advice
    : 'Run it again; if it fails again, report it with this message.';
}
