import {
  DestinationCredentialsError,
  DestinationError,
  DestinationPermissionError,
  DestinationUnavailableError,
  type SourceError,
} from '../../errors.ts';
import { isBrokenOff } from './broken-off.ts';
import type { BucketRequest } from './bucket.ts';

/** The words that errors use for one kind of store. */
export type StoreWords = {
  /** `an S3 store` */
  readonly store: string;
  /** Whose error codes it uses: `S3`. */
  readonly codes: string;
  /** What makes a write fail if the object exists. */
  readonly condition: string;
  readonly findingCredentials: string;
  /** What to grant to credentials that lack a permission. */
  readonly grant: string;
  /** What to check if all that is known is that a request was refused. */
  readonly check: string;
};

/** A failed request to a bucket, and the words for it. */
export type FailedRequest = {
  readonly error: Error;
  /** The code of a failed connection, if it is known. */
  readonly code: string | undefined;
  /** The HTTP status of the answer, if there was one. */
  readonly status: number | undefined;
  /** The address of the tables. */
  readonly where: string;
  /** The request: `s3:GetObject on s3://bucket/name`. */
  readonly what: string;
  /** The code and the status of the answer: `NoSuchKey, 404`. Never its message, which may contain anything. */
  readonly answer: string;
  /** Whether the answer is an error as such a store sends them, which has a code. */
  readonly isStores: boolean;
  /** Whether the code says that the same request may succeed later. */
  readonly isPassing: boolean;
  readonly action: BucketRequest['action'];
  readonly words: StoreWords;
};

const certificate = /CERT|^EPROTO$|^ERR_(TLS|SSL)|^UNABLE_TO/;

const checkEndpoint =
  'Check the endpoint: another server, or a proxy in front of the store, seems to answer there.';

/** An answer that reports success, but is not what such a store answers. */
export function notAStore(where: string, { store }: StoreWords): DestinationError {
  return new DestinationError(`The endpoint of ${where} does not answer as ${store} does.`, checkEndpoint);
}

/** This machine has no credentials to sign a request with. */
export function noCredentials(where: string, { findingCredentials }: StoreWords): SourceError {
  return new DestinationCredentialsError(
    `There are no credentials for ${where} on this machine, or they have expired.`,
    findingCredentials,
  );
}

export function expiredCredentials({ where, answer, words }: FailedRequest): SourceError {
  return new DestinationCredentialsError(
    `The credentials for ${where} have expired (${answer}).`,
    `Renew them; a worker that has them in its environment must be restarted. ${words.findingCredentials}`,
  );
}

export function unknownCredentials({ where, answer, words }: FailedRequest): SourceError {
  return new DestinationPermissionError(
    `The store does not accept the credentials for ${where} (${answer}).`,
    `Check them, and that they are for this store. ${words.findingCredentials}`,
  );
}

/** The error for a failed request if no code of the cloud says more. */
export function generalFailure(failed: FailedRequest): SourceError | undefined {
  return (
    withoutCondition(failed) ??
    answeredByOther(failed) ??
    denied(failed) ??
    passingFailure(failed) ??
    wrongEndpoint(failed) ??
    refused(failed)
  );
}

/**
 * The store refuses the condition that keeps a second writer from replacing a file. The probe has already written an
 * object without that condition, so it must be the condition that is refused.
 */
function withoutCondition(failed: FailedRequest): SourceError | undefined {
  const { status, where, answer, action, words, isPassing } = failed;
  if (action !== 'writeIfAbsent' || isPassing) return undefined;
  if (status !== 501 && status !== 400) return undefined;
  return new DestinationError(
    `The store of ${where} cannot keep a second writer from replacing a file: it refuses ${words.condition} (${answer}).`,
    `Use a store that supports ${words.condition} on writes, or a folder on a local disk.`,
  );
}

/** An answer without an error code: the page of a proxy or load balancer, or of a server that is not a store. */
function answeredByOther({ status, where, what, isStores, words }: FailedRequest): SourceError | undefined {
  if (status === undefined || isStores) return undefined;
  if (status < 300) return notAStore(where, words);
  const problem = `${what} was answered with ${status} and without an error code of ${words.codes}.`;
  return asksToWait(status)
    ? new DestinationUnavailableError(problem)
    : new DestinationError(problem, checkEndpoint);
}

function denied({ status, what, answer, words, isPassing }: FailedRequest): SourceError | undefined {
  if ((status !== 403 && status !== 401) || isPassing) return undefined;
  return new DestinationPermissionError(`The store does not allow ${what} (${answer}).`, words.grant);
}

function passingFailure(failed: FailedRequest): SourceError | undefined {
  const { error, status, what, answer, isPassing } = failed;
  const mayPass = isPassing || (status === undefined ? isBrokenOff(error) : asksToWait(status));
  if (!mayPass) return undefined;
  return new DestinationUnavailableError(`The store failed to carry out ${what} (${answer}).`);
}

/** Whether the same request may succeed later; 501 means that the server will never do it. */
export function asksToWait(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

function wrongEndpoint({ code, where, answer }: FailedRequest): SourceError | undefined {
  if (code === undefined) return undefined;
  if (code.startsWith('HPE_')) {
    return new DestinationError(`The endpoint of ${where} does not speak HTTP (${answer}).`, checkEndpoint);
  }
  if (!certificate.test(code)) return undefined;
  return new DestinationError(
    `The connection to the store of ${where} cannot be trusted (${answer}).`,
    'Check the endpoint. If its certificate is from an authority of your own, name that one in NODE_EXTRA_CA_CERTS.',
  );
}

/** A refusal without a known reason. */
function refused({ status, what, answer, words }: FailedRequest): SourceError | undefined {
  if (status === undefined) return undefined;
  return new DestinationError(`The store refused ${what} (${answer}).`, words.check);
}
