import { DestinationCredentialsError, DestinationError, SourceError } from '../../errors.ts';
import type { BucketRequest } from './bucket.ts';
import { addressOf, rootOf, type S3Address } from './destination.ts';
import {
  expiredCredentials,
  type FailedRequest,
  generalFailure,
  noCredentials,
  type StoreWords,
  unknownCredentials,
} from './failed-request.ts';
import { elsewhere, expired, isAnswer, passing, type SdkError, statusOf, unknownKey } from './s3-answers.ts';

/** The permission that a request needs, as a policy names it. */
const permissions: { readonly [A in BucketRequest['action']]: string } = {
  read: 's3:GetObject',
  list: 's3:ListBucket',
  write: 's3:PutObject',
  writeIfAbsent: 's3:PutObject',
  delete: 's3:DeleteObject',
};

export const s3Words: StoreWords = {
  store: 'an S3 store',
  codes: 'S3',
  condition: 'If-None-Match',
  findingCredentials:
    'They are found the way the AWS SDK finds them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the role of the machine.',
  grant:
    'Grant the credentials s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on its objects.',
  check:
    'Check the address of the bucket; for a store other than AWS, check its endpoint, region and pathStyle too.',
};

/** A failed request, with the SDK's error. */
type Failed = FailedRequest & { readonly error: SdkError; readonly bucket: string };

/**
 * A failed request to a bucket as an error that says what to do. Anything that is not the failure of a request is
 * returned unchanged.
 */
export function s3Error(cause: unknown, at: S3Address, { action, name }: BucketRequest): unknown {
  if (!(cause instanceof Error) || cause instanceof SourceError) return cause;
  const error = cause as SdkError;
  const status = statusOf(error);
  const where = addressOf(at);
  const target = name === undefined ? where : `${rootOf(at)}/${name}`;
  const failed: Failed = {
    error,
    code: error.code,
    status,
    bucket: at.bucket,
    where,
    what: `${permissions[action]} on ${target}`,
    answer: [error.code ?? error.Code ?? error.name, ...(status === undefined ? [] : [status])].join(', '),
    isStores: error.Code !== undefined,
    isPassing: passing.test(error.name),
    action,
    words: s3Words,
  };
  return withoutCredentials(failed) ?? wrongSettings(failed) ?? generalFailure(failed) ?? error;
}

function withoutCredentials(failed: Failed): SourceError | undefined {
  const { error, status, where, answer, words } = failed;
  const { name } = error;
  if (/^(CredentialsProviderError|TokenProviderError|ProviderError)$/.test(name)) {
    return noCredentials(where, words);
  }
  if (status !== undefined && !isAnswer(error)) {
    return new DestinationCredentialsError(
      `The service that gives out the credentials for ${where} answered ${answer}.`,
      words.findingCredentials,
    );
  }
  return expired.test(name) ? expiredCredentials(failed) : undefined;
}

function wrongSettings(failed: Failed): SourceError | undefined {
  const { error, status, bucket, where, answer } = failed;
  const { name } = error;
  if (unknownKey.test(name)) return unknownCredentials(failed);
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
