import { bucketOf, destinationOf } from './destination.ts';
import { folderStore } from './folder-store.ts';
import type { Store } from './store.ts';

/** The store of a destination. The AWS SDK is loaded only for a bucket. Throws what `destinationOf` throws. */
export async function openStore(text: string): Promise<Store> {
  const destination = destinationOf(text);
  const address = bucketOf(destination);
  if (address === undefined) return folderStore(destination);
  const [{ bucketStore }, { S3Bucket }, { scratchStore }] = await Promise.all([
    import('./bucket-store.ts'),
    import('./s3-bucket.ts'),
    import('./scratch-store.ts'),
  ]);
  return bucketStore(new S3Bucket(address), address.prefix, await scratchStore());
}
