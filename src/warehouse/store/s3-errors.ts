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
import { elsewhere, expired, isAnswer, passing, type SdkError, statusOf, unknownKey } from './s3-answers.ts';

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

/** An answer that reports success, but is not what an S3 store answers. */
export function notAStore(where: string): DestinationError {
  return new DestinationError(`The endpoint of ${where} does not answer as an S3 store does.`, checkEndpoint);
}

const checkEndpoint =
  'Check the endpoint: another server, or a proxy in front of the store, seems to answer there.';

/** A failed request, and the words for it. */
type Failed = {
  readonly error: SdkError;
  readonly status: number | undefined;
  readonly bucket: string;
  /** The address of the tables. */
  readonly where: string;
  /** The request: `s3:GetObject on s3://bucket/name`. */
  readonly what: string;
  /** The code and the status of the answer: `NoSuchKey, 404`. */
  readonly answer: string;
  /** Whether the answer is an error as S3 stores send them, which has a code. */
  readonly isS3: boolean;
  readonly action: BucketRequest['action'];
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
    isS3: error.Code !== undefined,
    action,
  };
  return (
    withoutCredentials(failed) ??
    wrongSettings(failed) ??
    withoutCondition(failed) ??
    answeredByOther(failed) ??
    denied(failed) ??
    passingFailure(failed) ??
    wrongEndpoint(failed) ??
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
  if (status !== undefined && !isAnswer(error)) {
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

function wrongSettings({ error, status, bucket, where, answer }: Failed): SourceError | undefined {
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
  const region = error.Region ?? error.$response?.headers?.['x-amz-bucket-region'];
  if (elsewhere.test(name) || (status === 301 && region !== undefined)) {
    return new DestinationError(
      `The bucket ${bucket} is in another region${region === undefined ? '' : `, ${region}`} (${answer}).`,
      `Set AWS_REGION, or name the region in the destination: ${where}?region=${region ?? '…'}`,
    );
  }
  return undefined;
}

/**
 * The store refuses `If-None-Match: *`. The probe writes an object without that condition before, so it must be the
 * condition that is refused.
 */
function withoutCondition({ error, status, where, answer, action }: Failed): SourceError | undefined {
  if (action !== 'writeIfAbsent' || passing.test(error.name)) return undefined;
  if (status !== 501 && status !== 400) return undefined;
  return new DestinationError(
    `The store of ${where} cannot keep a second writer from replacing a file: it refuses If-None-Match (${answer}).`,
    'Use a store that supports If-None-Match on writes, or a folder on a local disk.',
  );
}

/** An answer without an S3 error code: the page of a proxy or load balancer, or of a server that is not a store. */
function answeredByOther({ status, where, what, isS3 }: Failed): SourceError | undefined {
  if (status === undefined || isS3) return undefined;
  if (status < 300) return notAStore(where);
  const problem = `${what} was answered with ${status} and without an S3 error code.`;
  return asksToWait(status)
    ? new DestinationUnavailableError(problem)
    : new DestinationError(problem, checkEndpoint);
}

function denied({ status, what, answer }: Failed): SourceError | undefined {
  if (status !== 403 && status !== 401) return undefined;
  return new DestinationPermissionError(
    `The store does not allow ${what} (${answer}).`,
    'Grant the credentials s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on its objects.',
  );
}

function passingFailure({ error, status, what, answer }: Failed): SourceError | undefined {
  const isPassing = status === undefined ? isBrokenOff(error) : asksToWait(status);
  if (!isPassing && !passing.test(error.name)) return undefined;
  return new DestinationUnavailableError(`The store failed to carry out ${what} (${answer}).`);
}

/** 501 means that the server will never do it. */
function asksToWait(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

function wrongEndpoint({ error, where, answer }: Failed): SourceError | undefined {
  if (error.code === undefined) return undefined;
  if (error.code.startsWith('HPE_')) {
    return new DestinationError(`The endpoint of ${where} does not speak HTTP (${answer}).`, checkEndpoint);
  }
  if (!certificate.test(error.code)) return undefined;
  return new DestinationError(
    `The connection to the store of ${where} cannot be trusted (${answer}).`,
    'Check the endpoint. If its certificate is from an authority of your own, name that one in NODE_EXTRA_CA_CERTS.',
  );
}

/** A refusal about which nothing more is known. */
function refused({ status, what, answer }: Failed): SourceError | undefined {
  if (status === undefined) return undefined;
  return new DestinationError(
    `The store refused ${what} (${answer}).`,
    'Check the address of the bucket; for a store other than AWS, check its endpoint, region and pathStyle too.',
  );
}
