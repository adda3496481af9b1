import { describe } from 'vitest';
import { serveGcs } from '../helpers/cloud-emulators.ts';
import { testsOfACloud } from './tests-of-a-cloud.ts';

describe('in Google Cloud Storage', async () => {
  await serveGcs();
  await import('../system/warehouse/warehouse-store.test.ts');
  await import('../system/warehouse/warehouse-merge.test.ts');
  testsOfACloud();
});
