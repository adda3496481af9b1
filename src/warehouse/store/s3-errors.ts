import { S3ServiceException } from '@aws-sdk/client-s3';
import {
  DestinationCredentialsError,
  DestinationError,
  DestinationPermissionError,
  DestinationUnavailableError,
  SourceError,
} from '../../errors.ts';
import { isBrokenOff } from './broken-off.ts';
import type { BucketRequest } from './bucket.ts';
import { addressOf, type BucketAddress } from './destination.ts';

/**
 * The parts of the SDK's errors that are read. The message is not one of them: a store, or something in front of it,
 * may put anything into it.
 */
type SdkError = Error & {
  readonly code?: string;
  readonly Code?: string;
  readonly Region?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly headers?: { readonly [name: string]: string } };
};

const expired = /^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired|InvalidToken|RequestExpired)$/;
const unknownKey = /^(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSecurity|NotSignedUp)$/;
const elsewhere =
  /^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException|301|307)$/;
const passing =
  /^(SlowDown|ServiceUnavailable|InternalError|RequestTimeout|TimeoutError|OperationAborted|ConditionalRequestConflict|Throttling|ThrottlingException|TooManyRequests|TooManyRequestsException|RequestLimitExceeded|BadDigest|IncompleteBody)$/;
const certificate = /CERT|^EPROTO$|^ERR_(TLS|SSL)|^UNABLE_TO/;

/** The permission that a request needs, as a policy names it. */
const permissions: { readonly [A in BucketRequest['action']]: string } = {
  read: 's3:GetObject',
  list: 's3:ListBucket',
  write: 's3:PutObject',
  writeIfAbsent: 's3:PutObject',
  delete: 's3:DeleteObject',
};

const findingCredentials =
  'They are found the way the AWS SDK finds them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the role of the machine.';

/** The error for one object that the store did not delete among many. */
export function refusal(code: string): Error {
  const denied = code === 'AccessDenied';
  return new S3ServiceException({
    name: code,
    $fault: 'client',
    $metadata: { httpStatusCode: denied ? 403 : 200 },
    message: code,
  });
}

/** The HTTP status of the answer to a failed request, if there was an answer. */
export function statusOf(error: unknown): number | undefined {
  return (error as SdkError | null)?.$metadata?.httpStatusCode;
}

/** A failed request, and the words for it. */
type Failed = {
  readonly error: SdkError;
  readonly status: number | undefined;
  readonly bucket: string;
  /** The address of the tables. */
  readonly where: string;
  /** The request: `s3:GetObject on s3://bucket/name`. */
  readonly what: string;
  /** The store's code and the status: `NoSuchKey, 404`. */
  readonly answer: string;
};

/**
 * A failed request to a bucket as an error that says what to do. Anything that is not the failure of a request is
 * returned unchanged.
 */
export function s3Error(cause: unknown, at: BucketAddress, { action, name }: BucketRequest): unknown {
  if (!(cause instanceof Error) || cause instanceof SourceError) return cause;
  const error = cause as SdkError;
  const status = statusOf(error);
  const where = addressOf(at);
  const target = name === undefined ? where : `s3://${at.bucket}/${name}`;
  const failed = {
    error,
    status,
    bucket: at.bucket,
    where,
    what: `${permissions[action]} on ${target}`,
    answer: [error.code ?? error.Code ?? error.name, ...(status === undefined ? [] : [status])].join(', '),
  };
  return (
    withoutCredentials(failed) ??
    wrongSettings(failed) ??
    passingFailure(failed) ??
    wrongCertificate(failed) ??
    refused(failed) ??
    error
  );
}

function withoutCredentials({ error, status, where, answer }: Failed): SourceError | undefined {
  const { name } = error;
  if (/^(CredentialsProviderError|TokenProviderError|ProviderError)$/.test(name)) {
    return new DestinationCredentialsError(
      `There are no credentials for ${where} on this machine, or they have expired.`,
      findingCredentials,
    );
  }
  if (status !== undefined && !(error instanceof S3ServiceException)) {
    return new DestinationCredentialsError(
      `The service that gives out the credentials for ${where} answered ${answer}.`,
      findingCredentials,
    );
  }
  if (expired.test(name)) {
    return new DestinationCredentialsError(
      `The credentials for ${where} have expired (${answer}).`,
      `Renew them; a worker that has them in its environment must be restarted. ${findingCredentials}`,
    );
  }
  return undefined;
}

function wrongSettings({ error, status, bucket, where, what, answer }: Failed): SourceError | undefined {
  const { name } = error;
  if (unknownKey.test(name)) {
    return new DestinationPermissionError(
      `The store does not accept the credentials for ${where} (${answer}).`,
      `Check them, and that they are for this store. ${findingCredentials}`,
    );
  }
  if (name === 'RequestTimeTooSkewed') {
    return new DestinationError(
      `The clock of this machine differs too much from that of the store of ${where} (${answer}).`,
      'Set the clock.',
    );
  }
  if (name === 'NoSuchBucket') {
    return new DestinationError(
      `There is no bucket ${bucket}.`,
      'Create it or correct its name; for a store other than AWS, name its endpoint too.',
    );
  }
  if (elsewhere.test(name) || status === 301) {
    const region = error.Region ?? error.$response?.headers?.['x-amz-bucket-region'];
    return new DestinationError(
      `The bucket ${bucket} is in another region${region === undefined ? '' : `, ${region}`} (${answer}).`,
      `Set AWS_REGION, or name the region in the destination: ${where}?region=${region ?? '…'}`,
    );
  }
  if (status === 403 || status === 401) {
    return new DestinationPermissionError(
      `The store does not allow ${what} (${answer}).`,
      'Grant the credentials s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on its objects.',
    );
  }
  return undefined;
}

function passingFailure({ error, status, what, answer }: Failed): SourceError | undefined {
  const noAnswer = status === undefined && isBrokenOff(error);
  const asksToWait = status === 408 || status === 429 || (status ?? 0) >= 500;
  if (!passing.test(error.name) && !noAnswer && !asksToWait) return undefined;
  return new DestinationUnavailableError(`The store failed to carry out ${what} (${answer}).`);
}

function wrongCertificate({ error, where, answer }: Failed): SourceError | undefined {
  if (error.code === undefined || !certificate.test(error.code)) return undefined;
  return new DestinationError(
    `The connection to the store of ${where} cannot be trusted (${answer}).`,
    'Check the endpoint. If its certificate is from an authority of your own, name that one in NODE_EXTRA_CA_CERTS.',
  );
}

function refused({ status, what, answer }: Failed): SourceError | undefined {
  if (status === undefined) return undefined;
  return new DestinationError(
    `The store refused ${what} (${answer}).`,
    'Check the address of the bucket; for a store other than AWS, check its endpoint, region and pathStyle too.',
  );
}
