import { IdempotencyStrategy, Storage } from '@google-cloud/storage';
import type { GcsAddress } from './destination.ts';

/** How often a request is sent again before its failure is reported. */
const retries = 4;
const maxRetryDelaySeconds = 4;
/** Milliseconds until the answer to a request begins. */
const timeoutMs = 60_000;

/** Where a store other than Google's is, if one is named. */
function otherStore({ endpoint }: GcsAddress): string | undefined {
  const named = endpoint ?? process.env['STORAGE_EMULATOR_HOST'];
  if (named === undefined || named === '') return undefined;
  return (named.includes('://') ? named : `http://${named}`).replace(/\/$/, '');
}

/** Whether a bucket is in a store other than Google Cloud. */
export function isOtherStore(at: GcsAddress): boolean {
  return otherStore(at) !== undefined;
}

/** A client for Google Cloud Storage. Credentials never go to an endpoint without TLS, which is an emulator. */
export function openGcsClient(at: GcsAddress): { readonly storage: Storage; readonly isSigned: boolean } {
  const apiEndpoint = otherStore(at);
  const isSigned = apiEndpoint === undefined || apiEndpoint.startsWith('https:');
  const storage = new Storage({
    ...(apiEndpoint !== undefined && { apiEndpoint }),
    useAuthWithCustomEndpoint: isSigned,
    timeout: timeoutMs,
    retryOptions: {
      maxRetries: retries,
      maxRetryDelay: maxRetryDelaySeconds,
      // Every request may be repeated: names are written once, and the log's names only under a condition.
      idempotencyStrategy: IdempotencyStrategy.RetryAlways,
    },
  });
  // With STORAGE_EMULATOR_HOST the library leaves out the path of the API, unlike with the same address as an option.
  if (apiEndpoint !== undefined) storage.baseUrl = `${apiEndpoint}/storage/v1`;
  return { storage, isSigned };
}
