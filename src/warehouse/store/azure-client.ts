import {
  AnonymousCredential,
  BlobServiceClient,
  type ContainerClient,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import type { TokenCredential } from '@azure/identity';
import { DestinationError } from '../../errors.ts';
import type { AzureAddress } from './destination.ts';
import { withPackage } from './optional-package.ts';

/** Five attempts in about ten seconds, as with the other clouds; by default the library waits minutes. */
const retryOptions = { maxTries: 5, retryDelayInMs: 500, maxRetryDelayInMs: 5_000 };

type Credential = StorageSharedKeyCredential | AnonymousCredential | TokenCredential;

/** Whether a bucket is in a store other than Azure. */
export function isOtherStore({ endpoint }: AzureAddress): boolean {
  const named = process.env['AZURE_STORAGE_CONNECTION_STRING'] ?? '';
  return endpoint !== undefined || /BlobEndpoint=|UseDevelopmentStorage=/i.test(named);
}

/**
 * A client for a container. Credentials are found in the environment, in this order: a connection string, the account's
 * key, a shared access signature; then as `DefaultAzureCredential` finds them.
 *
 * Throws `DestinationError` for a connection string that cannot be used for the account.
 */
export async function openContainer(at: AzureAddress): Promise<ContainerClient> {
  const { env } = process;
  const base = at.endpoint === undefined ? undefined : `${at.endpoint}/${at.account}`;
  const connectionString = env['AZURE_STORAGE_CONNECTION_STRING'];
  if (connectionString) return clientOf(connectionString, at, base).getContainerClient(at.bucket);
  const key = env['AZURE_STORAGE_ACCOUNT_KEY'] ?? env['AZURE_STORAGE_KEY'];
  const signature = env['AZURE_STORAGE_SAS_TOKEN']?.replace(/^\?/, '');
  let credential: Credential;
  if (key) credential = new StorageSharedKeyCredential(at.account, key);
  else if (signature) credential = new AnonymousCredential();
  else credential = await defaultCredential();
  const url = base ?? `https://${at.account}.blob.${at.domain}`;
  const signed = !key && signature ? `${url}?${signature}` : url;
  return new BlobServiceClient(signed, credential, { retryOptions }).getContainerClient(at.bucket);
}

function clientOf(connectionString: string, at: AzureAddress, base: string | undefined): BlobServiceClient {
  let client: BlobServiceClient;
  try {
    client = BlobServiceClient.fromConnectionString(connectionString, { retryOptions });
  } catch (cause) {
    throw new DestinationError(
      'AZURE_STORAGE_CONNECTION_STRING is not a connection string of a storage account.',
      'Copy it from the access keys of the account, or unset it to use other credentials.',
      { cause },
    );
  }
  const { accountName, credential, url } = client;
  if (accountName !== '' && accountName !== at.account) {
    throw new DestinationError(
      `AZURE_STORAGE_CONNECTION_STRING is for the account ${accountName}, the destination is in ${at.account}.`,
      'Correct the one or the other, or unset the variable to use other credentials.',
    );
  }
  if (base === undefined) return client;
  return new BlobServiceClient(`${base}${new URL(url).search}`, credential, { retryOptions });
}

async function defaultCredential(): Promise<TokenCredential> {
  const load = () => import('@azure/identity');
  const { DefaultAzureCredential } = await withPackage('Azure Storage', '@azure/identity', load);
  return new DefaultAzureCredential();
}
