import type { Bucket } from './bucket.ts';
import { type BucketAddress, bucketOf, destinationOf } from './destination.ts';
import { folderStore } from './folder-store.ts';
import { withPackage } from './optional-package.ts';
import type { Store } from './store.ts';

/**
 * The store of a destination. The library of a cloud is loaded only for a bucket there. Throws what `destinationOf`
 * throws, and `DestinationError` if that library is not installed.
 */
export async function openStore(text: string): Promise<Store> {
  const destination = destinationOf(text);
  const address = bucketOf(destination);
  if (address === undefined) return folderStore(destination);
  const [{ bucketStore }, bucket, { scratchStore }] = await Promise.all([
    import('./bucket-store.ts'),
    openBucket(address),
    import('./scratch-store.ts'),
  ]);
  return bucketStore(bucket, address.prefix, await scratchStore());
}

async function openBucket(at: BucketAddress): Promise<Bucket> {
  switch (at.cloud) {
    case 's3': {
      const { S3Bucket } = await import('./s3-bucket.ts');
      return new S3Bucket(at);
    }
    case 'gcs': {
      const load = () => import('./gcs-bucket.ts');
      const { GcsBucket } = await withPackage('Google Cloud Storage', '@google-cloud/storage', load);
      return new GcsBucket(at);
    }
    case 'azure': {
      const load = () => import('./azure-bucket.ts');
      const { AzureBucket } = await withPackage('Azure Storage', '@azure/storage-blob', load);
      return new AzureBucket(at);
    }
  }
}
