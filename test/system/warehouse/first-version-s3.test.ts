import { describe } from 'vitest';
import { canServeS3, serveBucket } from '../../helpers/bucket.ts';

// The same tests, with every table in a bucket.
describe.skipIf(!canServeS3())('in a bucket', async () => {
  if (!canServeS3()) return;
  await serveBucket();
  await import('./first-version.test.ts');
});
