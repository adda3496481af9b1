import { DestinationError, SourceError } from '../../errors.ts';
import type { BucketRequest } from './bucket.ts';
import { addressOf, type AzureAddress, rootOf } from './destination.ts';
import {
  expiredCredentials,
  type FailedRequest,
  generalFailure,
  noCredentials,
  type StoreWords,
  unknownCredentials,
} from './failed-request.ts';

/** Azure's permissions on a container; a role or a shared access signature grants them. */
const permissions: { readonly [A in BucketRequest['action']]: string } = {
  read: 'blobs/read',
  list: 'blobs/read (list)',
  write: 'blobs/write',
  writeIfAbsent: 'blobs/write',
  delete: 'blobs/delete',
};

export const azureWords: StoreWords = {
  store: 'Azure Storage',
  codes: 'Azure Storage',
  condition: 'If-None-Match',
  findingCredentials:
    'They are AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN; without these, they are found as DefaultAzureCredential finds them: a service principal in AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, a managed identity, or az login.',
  grant:
    'Grant the identity the role Storage Blob Data Contributor on the container; a shared access signature needs read, add, create, write, delete and list.',
  check: 'Check the address of the container; for an emulator, check its endpoint too.',
};

/** The parts of the library's errors that are read. The message is not one of them: it may contain a signature. */
type SdkError = Error & {
  /** The code of an answer or of a failed connection. */
  readonly code?: string;
  readonly statusCode?: number;
  readonly details?: { readonly errorCode?: string };
  readonly response?: { readonly headers: { readonly get: (name: string) => string | undefined } };
};

/** The HTTP status of the answer to a failed request, if there was an answer. */
export function statusOf(error: unknown): number | undefined {
  return (error as SdkError).statusCode;
}

/** The code of an answer of Azure Storage: `BlobNotFound`. The page of a proxy has none. */
export function codeOf(error: unknown): string | undefined {
  const { response, details } = error as SdkError;
  return response?.headers.get('x-ms-error-code') ?? details?.errorCode;
}

/** Whether the store says that there is no such object. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && codeOf(error) === 'BlobNotFound';
}

const withoutToken =
  /^(CredentialUnavailableError|ChainedTokenCredentialError|AggregateAuthenticationError|AuthenticationError|AuthenticationRequiredError)$/;
const expired = /^(InvalidAuthenticationInfo|NoAuthenticationInformation|ExpiredAuthenticationToken)$/;
const unknownKey = /^AuthenticationFailed$/;
const noContainer = /^(ContainerNotFound|ResourceNotFound|ContainerDisabled)$/;
const passing =
  /^(ServerBusy|InternalError|OperationTimedOut|ContainerBeingDeleted|AccountBeingCreated|Md5Mismatch|Crc64Mismatch)$/;

/** A request that took too long was ended by this program. */
function isCutOff({ name, code }: SdkError): boolean {
  return name === 'AbortError' || code === 'REQUEST_SEND_ERROR';
}

/** A failed request to a container as an error that says what to do; anything else is returned unchanged. */
export function azureError(cause: unknown, at: AzureAddress, { action, name }: BucketRequest): unknown {
  if (!(cause instanceof Error) || cause instanceof SourceError) return cause;
  const error = cause as SdkError;
  const where = addressOf(at);
  if (withoutToken.test(error.name)) return noCredentials(where, azureWords);
  const status = statusOf(error);
  const code = codeOf(error);
  const isStores = code !== undefined;
  const target = name === undefined ? where : `${rootOf(at)}/${name}`;
  const failed: FailedRequest = {
    error,
    code: status === undefined ? error.code : undefined,
    status,
    where,
    what: `${permissions[action]} on ${target}`,
    answer: [code ?? error.code ?? error.name, ...(status === undefined ? [] : [status])].join(', '),
    isStores,
    isPassing: isStores ? passing.test(code) : status === undefined && isCutOff(error),
    action,
    words: azureWords,
  };
  if (isStores) {
    if (expired.test(code)) return expiredCredentials(failed);
    if (unknownKey.test(code)) return unknownCredentials(failed);
    if (noContainer.test(code)) {
      return new DestinationError(
        `There is no container ${at.bucket} in the account ${at.account}.`,
        'Create it or correct its name.',
      );
    }
  }
  return generalFailure(failed) ?? error;
}
