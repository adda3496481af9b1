import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import { asApplicationFailure, failureOfRun } from '../../workflows/failures.ts';
import type { TableOutcome } from '../../workflows/contract.ts';
import { SourceError } from '../errors.ts';
import { failureOf } from '../failure.ts';
import type { ErrorDescription } from './warehouse-source.ts';

/** Describes a failed run (its `WorkflowFailedError` or the cause of that) or a thrown error, with what to do. */
export function describeError(error: unknown): ErrorDescription {
  if (error instanceof SourceError) return { ...failureOf(error), retry: error.retry };
  const reason = causeOf(error);
  if (reason instanceof CancelledFailure) {
    return {
      error: 'CancelledFailure',
      message: 'The run was cancelled.',
      advice: 'Start it again.',
      retry: 'later',
    };
  }
  const failure = asApplicationFailure(reason);
  if (failure.type === 'TablesFailedError') return describeTables(failure);
  return { ...failureOfRun(failure), retry: retryOf(failure) };
}

/** The failure inside the wrappers of client, workflow and activity; the error itself if there are none. */
function causeOf(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ApplicationFailure) return error;
  return error.cause instanceof TemporalFailure ? causeOf(error.cause) : error;
}

/** As the failure says, or `later`: a run that was terminated, or that no worker understood, may succeed next time. */
function retryOf({ details }: ApplicationFailure): ErrorDescription['retry'] {
  return (details?.[0] as { retry?: unknown } | undefined)?.retry === 'never' ? 'never' : 'later';
}

/** A failed `syncSource`: each failed table with its reason. The other tables are synced, so a later run helps. */
function describeTables({ message, details }: ApplicationFailure): ErrorDescription {
  const failed = (details as TableOutcome[]).filter((outcome) => outcome.status === 'failed');
  return {
    error: 'TablesFailedError',
    message: [message, ...failed.map((outcome) => `${outcome.table}: ${outcome.message}`)].join('\n'),
    advice: failed.map((outcome) => `${outcome.table}: ${outcome.advice}`).join('\n'),
    retry: 'later',
  };
}
