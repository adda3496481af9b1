import { S3Client } from '@aws-sdk/client-s3';
import { DestinationError } from '../../errors.ts';
import type { S3Address } from './destination.ts';
import { markAnswers } from './s3-answers.ts';

/** How often a request is sent before its failure is reported. */
const attempts = 5;

/** Whether a bucket is in a store other than AWS. */
export function isOtherStore({ endpoint }: S3Address): boolean {
  const { env } = process;
  return (endpoint ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL']) !== undefined;
}

/**
 * A client for a bucket. Anything that the destination leaves open is found the way the AWS SDK finds it.
 * Throws `DestinationError` if the bucket is in AWS and its region is unknown.
 */
export async function openS3Client(at: S3Address): Promise<S3Client> {
  // The warning names the version of Node that later SDKs will need; users do not choose the version of the SDK.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  if (at.region !== undefined) return clientIn(at.region, at);
  const client = clientIn(undefined, at);
  try {
    await client.config.region();
    return client;
  } catch (error) {
    client.destroy();
    if (!(error as Error).message.includes('Region is missing')) throw error;
    if (isOtherStore(at)) return clientIn('us-east-1', at);
    throw new DestinationError(
      `The region of the bucket ${at.bucket} is not known.`,
      'Set AWS_REGION, or name the region in the destination: s3://bucket/prefix?region=eu-west-1',
    );
  }
}

function clientIn(region: string | undefined, at: S3Address): S3Client {
  const isOther = isOtherStore(at);
  const client = new S3Client({
    ...(region !== undefined && { region }),
    ...(at.endpoint !== undefined && { endpoint: at.endpoint }),
    // Few other stores have a host name for each bucket.
    forcePathStyle: at.pathStyle ?? isOther,
    // Not all of them know the checksums that AWS has come to expect.
    ...(isOther && {
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
    maxAttempts: attempts,
    // A request that first asks whether it may send its body uses a connection that is not kept alive.
    expectContinueHeader: false,
    // The second limit is for silence: a long answer may take as long as it needs.
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 30_000 },
  });
  markAnswers(client);
  return client;
}
