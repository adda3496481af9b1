import type { WorkflowFailedError } from '@temporalio/client';
import {
  ActivityFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/common/lib/failure.js';
import { failureOfRun } from '../../../workflows/failures.ts';
import type { Failure } from '../../failure.ts';

/** How a run that did not succeed ended. */
export type UnsuccessfulEnd =
  | { readonly outcome: 'cancelled' }
  | { readonly outcome: 'failed' | 'terminated' | 'timed_out'; readonly failure: Failure };

/** The outcome and failure in the error that waiting for a run rejected with. */
export function endOfFailed({ cause }: WorkflowFailedError): UnsuccessfulEnd {
  if (isCancelled(cause)) return { outcome: 'cancelled' };
  if (cause instanceof TerminatedFailure) return { outcome: 'terminated', failure: terminated(cause) };
  return { outcome: cause instanceof TimeoutFailure ? 'timed_out' : 'failed', failure: failureOfRun(cause) };
}

function isCancelled(cause: unknown): boolean {
  return cause instanceof CancelledFailure || (cause instanceof ActivityFailure && isCancelled(cause.cause));
}

/** The client's message if whoever terminated the run gave no reason. */
const withoutReason = 'Workflow execution terminated';

/** The reason that `unlink`, the only command that terminates runs, gives the server. */
export const unlinked = 'incident-io-source unlink: no worker responds';

/** The run could not delete what it had staged. */
function terminated({ name, message }: TerminatedFailure): Failure {
  if (message === unlinked) {
    return {
      error: name,
      message: 'unlink ended the run, because no worker responded',
      advice: 'Start a worker, then trigger the table to sync it again.',
    };
  }
  const reason = message === withoutReason ? 'no reason was given' : `the reason given: ${message}`;
  return {
    error: name,
    message: `an operator terminated the run on the Temporal server; ${reason}`,
    advice: 'Ask whoever runs the Temporal server; trigger the table to sync it again.',
  };
}
