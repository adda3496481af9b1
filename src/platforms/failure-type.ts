import {
  AccountMismatchError,
  ApiUnavailableError,
  CredentialsError,
  DestinationCredentialsError,
  DestinationPermissionError,
  DestinationUnavailableError,
  KeyMissingError,
  PermissionError,
  RateLimitedError,
  StateError,
  TableUnavailableError,
  TableUnknownError,
  UsageError,
} from '../errors.ts';
import { failureOf, isLastingSystemError } from '../failure.ts';
import { hideSecrets } from '../secrets.ts';
import { RunFailure } from '../../workflows/run-failure.ts';

/** `config_error`: a person has to change something · `transient_error`: it passes · `system_error`: anything else. */
export type FailureType = 'config_error' | 'transient_error' | 'system_error';

export type PlatformFailure = {
  readonly type: FailureType;
  /** What is wrong and what to do, for a person. */
  readonly message: string;
  /** The error's class and its causes. */
  readonly cause: string;
  /** Only for unforeseen errors. */
  readonly stack?: string;
};

const configErrors = [
  AccountMismatchError,
  CredentialsError,
  DestinationCredentialsError,
  DestinationPermissionError,
  KeyMissingError,
  PermissionError,
  StateError,
  TableUnavailableError,
  TableUnknownError,
  UsageError,
];
const transientErrors = [ApiUnavailableError, DestinationUnavailableError, RateLimitedError];
/** What a platform is told about an error. Holds neither the key nor a row. */
export function platformFailure(error: unknown): PlatformFailure {
  const {
    error: name,
    message,
    advice,
  } = error instanceof RunFailure
    ? { error: error.type, message: error.message, advice: error.advice }
    : failureOf(error);
  const type = typeOf(error);
  const isUnforeseen = name === 'UnexpectedError' && error instanceof Error;
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  return {
    type,
    message: hideSecrets(`${sentence} ${advice}`),
    cause: hideSecrets(causeOf(error, name)),
    ...(isUnforeseen && { stack: hideSecrets(error.stack ?? message) }),
  };
}

function typeOf(error: unknown): FailureType {
  if (configErrors.some((known) => error instanceof known)) return 'config_error';
  if (transientErrors.some((known) => error instanceof known)) return 'transient_error';
  if (error instanceof RunFailure && error.type === 'ContradictedError') return 'transient_error';
  return isLastingSystemError(error) ? 'config_error' : 'system_error';
}

function causeOf(error: unknown, name: string): string {
  if (!(error instanceof Error)) return String(error);
  const own = `${name}: ${error.message}`;
  return error.cause instanceof Error ? `${own}; caused by ${causeOf(error.cause, error.cause.name)}` : own;
}
