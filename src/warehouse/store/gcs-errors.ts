import { DestinationCredentialsError, DestinationError, SourceError } from '../../errors.ts';
import { isBrokenOff } from './broken-off.ts';
import type { BucketRequest } from './bucket.ts';
import { addressOf, type GcsAddress, rootOf } from './destination.ts';
import {
  expiredCredentials,
  type FailedRequest,
  generalFailure,
  noCredentials,
  type StoreWords,
} from './failed-request.ts';

/** The permission that a request needs, as a role names it. */
const permissions: { readonly [A in BucketRequest['action']]: string } = {
  read: 'storage.objects.get',
  list: 'storage.objects.list',
  write: 'storage.objects.create',
  writeIfAbsent: 'storage.objects.create',
  delete: 'storage.objects.delete',
};

export const gcsWords: StoreWords = {
  store: 'Google Cloud Storage',
  codes: 'Google Cloud Storage',
  condition: 'ifGenerationMatch',
  findingCredentials:
    'They are found as Application Default Credentials: GOOGLE_APPLICATION_CREDENTIALS, gcloud auth application-default login, or the service account of the machine.',
  grant: 'Grant the account the role Storage Object User (roles/storage.objectUser) on the bucket.',
  check: 'Check the address of the bucket; for an emulator, check its endpoint too.',
};

/** A request that was not sent, because there is no token to sign it with; `cause` says why. */
export class NoToken extends Error {}

/** The parts of the library's errors that are read. The message is not one of them: it may contain anything. */
type SdkError = Error & {
  /** The status of the answer, or the code of a failed connection. */
  readonly code?: number | string;
  readonly status?: number;
  readonly errors?: readonly { readonly reason?: string }[];
};

/** The HTTP status of the answer to a failed request, if there was an answer. */
export function statusOf(error: unknown): number | undefined {
  const { code, status } = error as SdkError;
  const given = Number(code ?? status);
  return given >= 100 && given < 600 ? given : undefined;
}

/** The code of an answer of Google's API: `forbidden`. The page of a proxy has none. */
export function reasonOf(error: unknown): string | undefined {
  return (error as SdkError).errors?.[0]?.reason;
}

/** Whether the store says that there is no such object, or no such bucket. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && reasonOf(error) !== undefined;
}

/** Some of these come with 403. */
const passing = /^(rateLimitExceeded|userRateLimitExceeded|quotaExceeded|dailyLimitExceeded|backendError)$/;

/** The content was changed on the way. */
const mangled = /^(CONTENT_DOWNLOAD_MISMATCH|FILE_NO_UPLOAD)$/;

function isPassing({ name }: SdkError, reason: string | undefined, code: string | undefined): boolean {
  if (reason !== undefined) return passing.test(reason);
  // Without a code, the library below reports that no answer came in time.
  return code === undefined ? name === 'FetchError' : mangled.test(code);
}

/** A failed request to a bucket as an error that says what to do; anything else is returned unchanged. */
export function gcsError(cause: unknown, at: GcsAddress, { action, name }: BucketRequest): unknown {
  if (!(cause instanceof Error) || cause instanceof SourceError) return cause;
  const where = addressOf(at);
  if (cause instanceof NoToken) return withoutToken(cause.cause as SdkError, where);
  const error = cause as SdkError;
  const status = statusOf(error);
  const reason = reasonOf(error);
  const code = status === undefined && error.code !== undefined ? String(error.code) : undefined;
  const target = name === undefined ? where : `${rootOf(at)}/${name}`;
  const failed: FailedRequest = {
    error,
    code,
    status,
    where,
    what: `${permissions[action]} on ${target}`,
    answer: [code ?? reason ?? error.name, ...(status === undefined ? [] : [status])].join(', '),
    isStores: reason !== undefined,
    isPassing: isPassing(error, reason, code),
    action,
    words: gcsWords,
  };
  if (status === 401 && reason !== undefined) return expiredCredentials(failed);
  if (status === 404 && reason !== undefined) {
    return new DestinationError(`There is no bucket ${at.bucket}.`, 'Create it or correct its name.');
  }
  return generalFailure(failed) ?? error;
}

/** The library's words are left out: they may quote the file of the credentials. */
function withoutToken(error: SdkError, where: string): SourceError {
  const status = statusOf(error);
  if (status === undefined && !isBrokenOff(error)) return noCredentials(where, gcsWords);
  return new DestinationCredentialsError(
    `The service that gives out the credentials for ${where} answered ${status ?? error.code}.`,
    gcsWords.findingCredentials,
  );
}
