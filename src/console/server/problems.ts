import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { QueryError, SourceError, UsageError } from '../../errors.ts';
import { failureOf, isForeseen } from '../../failure.ts';
import type { Log } from '../../serving/logs.ts';
import type { Problem } from '../contract/common.ts';
import { problemJson } from '../problem-json.ts';

/** Answers with a problem. */
export function refuse(c: Context, status: ContentfulStatusCode, problem: Problem): Response {
  return c.json(problem, status);
}

/** The answer to a request that failed. */
export function failed(c: Context, error: unknown, log: Log): Response {
  return refuse(c, statusOf(error), problemOf(error, log));
}

/** An error as a page shows it. A defect is only logged, because its message may contain anything. */
export function problemOf(error: unknown, log: Log): Problem {
  const cause = causeOf(error);
  if (isForeseen(cause)) return problemJson(failureOf(cause));
  log('error', 'a request to the console failed', { error });
  return {
    error: 'UnexpectedError',
    message: 'Something failed unexpectedly.',
    advice: 'This is a defect of incident-io-source: report it with the lines that the console has logged.',
  };
}

/** Temporal's client wraps what its calls throw. */
function causeOf(error: unknown): unknown {
  if (error instanceof Error && error.name === 'ServiceError' && error.cause instanceof SourceError) {
    return error.cause;
  }
  return error;
}

function statusOf(error: unknown): ContentfulStatusCode {
  const cause = causeOf(error);
  if (cause instanceof UsageError || cause instanceof QueryError) return 400;
  if (cause instanceof SourceError) return cause.retry === 'never' ? 422 : 503;
  return isForeseen(cause) ? 503 : 500;
}
