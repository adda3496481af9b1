import { bucketOf, destinationOf } from './destination.ts';
import { folderStore } from './folder-store.ts';
import type { Store } from './store.ts';

/** The store of a destination. The AWS SDK is loaded only where it is a bucket. Throws as `destinationOf` does. */
export async function openStore(text: string): Promise<Store> {
  const destination = destinationOf(text);
  const bucket = bucketOf(destination);
  if (bucket === undefined) return folderStore(destination);
  const { s3Store } = await import('./s3-store.ts');
  return s3Store(bucket);
}
