import { S3ServiceException } from '@aws-sdk/client-s3';

import {
  DestinationCredentialsError,
  DestinationError,
  DestinationPermissionError,
  DestinationUnavailableError,
  SourceError,
} from '../../errors.ts';
import { addressOf, type Bucket } from './destination.ts';

/** What of the SDK's errors is read; never their message, which a store or something before it may put anything into. */
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

/** Of connections: those of files have other codes. */
const network =
  /^(ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ERR_STREAM_PREMATURE_CLOSE)$/;
const certificate = /CERT|^EPROTO$|^ERR_(TLS|SSL)|^UNABLE_TO/;

/** What a store says of one object of many. */
export function refusal(code: string): Error {
  const denied = code === 'AccessDenied';
  return new S3ServiceException({
    name: code,
    $fault: 'client',
    $metadata: { httpStatusCode: denied ? 403 : 200 },
    message: code,
  });
}

/** Whether there was no answer, or half of one. */
export function isBrokenOff(error: unknown): boolean {
  const { name, code } = error as SdkError;
  return (
    statusOf(error) === undefined && (name === 'TimeoutError' || (code !== undefined && network.test(code)))
  );
}

/** The HTTP status a request was answered with, where it was. */
export function statusOf(error: unknown): number | undefined {
  return (error as SdkError | null)?.$metadata?.httpStatusCode;
}

/**
 * A failed request to a bucket as an error that says what to do; what is no failure of a request is left as it is.
 * @param action as a policy names it, such as `s3:GetObject`
 * @param key of the object it was about, if it was about one
 */
export function storeError(error: unknown, bucket: Bucket, action: string, key?: string): unknown {
  if (!(error instanceof Error) || error instanceof SourceError) return error;
  const sdkError = error as SdkError;
  const { name } = sdkError;
  const status = statusOf(error);
  const where = addressOf(bucket);
  const said = [sdkError.code ?? sdkError.Code ?? name, ...(status === undefined ? [] : [status])].join(', ');
  const what = `${action} on ${key === undefined ? where : `${where}/${key}`}`;

  if (/^(CredentialsProviderError|TokenProviderError|ProviderError)$/.test(name)) {
    return new DestinationCredentialsError(
      `There are no credentials for ${where} on this machine, or they have expired.`,
      findingCredentials,
    );
  }
  if (status !== undefined && !(error instanceof S3ServiceException)) {
    return new DestinationCredentialsError(
      `The credentials for ${where} could not be had: where they come from answered with ${said}.`,
      findingCredentials,
    );
  }
  if (expired.test(name)) {
    return new DestinationCredentialsError(
      `The credentials for ${where} have expired (${said}).`,
      `Renew them; a worker that has them from its environment has to be started again. ${findingCredentials}`,
    );
  }
  if (unknownKey.test(name)) {
    return new DestinationPermissionError(
      `The store does not accept the credentials for ${where} (${said}).`,
      `Check them, and whether they are for this store. ${findingCredentials}`,
    );
  }
  if (name === 'RequestTimeTooSkewed') {
    return new DestinationError(
      `The clock of this machine is too far from that of the store of ${where} (${said}).`,
      'Set the clock.',
    );
  }
  if (name === 'NoSuchBucket') {
    return new DestinationError(
      `There is no bucket ${bucket.bucket}.`,
      'Create it, or correct the name; for a store other than AWS name its endpoint too.',
    );
  }
  if (elsewhere.test(name) || status === 301) {
    const region = sdkError.Region ?? sdkError.$response?.headers?.['x-amz-bucket-region'];
    return new DestinationError(
      `The bucket ${bucket.bucket} is in another region${region === undefined ? '' : `, ${region}`} (${said}).`,
      `Set AWS_REGION, or give the region with the destination: ${where}?region=${region ?? '…'}`,
    );
  }
  if (status === 403 || status === 401) {
    return new DestinationPermissionError(
      `The store does not allow ${what} (${said}).`,
      'Grant the credentials s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on its objects.',
    );
  }
  if (passing.test(name) || isBrokenOff(error) || status === 408 || status === 429 || (status ?? 0) >= 500) {
    return new DestinationUnavailableError(`The store did not carry out ${what} (${said}).`);
  }
  if (sdkError.code !== undefined && certificate.test(sdkError.code)) {
    return new DestinationError(
      `The connection to the store of ${where} cannot be trusted (${said}).`,
      'Check the endpoint; name the certificate of an authority of your own in NODE_EXTRA_CA_CERTS.',
    );
  }
  if (status === undefined) return error;
  return new DestinationError(
    `The store refused ${what} (${said}).`,
    'Check the address of the bucket; for a store other than AWS its endpoint, region and pathStyle too.',
  );
}

const findingCredentials =
  'They are found as the AWS SDK finds them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the role of the machine.';
