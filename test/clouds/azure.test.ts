import { describe } from 'vitest';
import { serveAzure } from '../helpers/cloud-emulators.ts';
import { testsOfACloud } from './tests-of-a-cloud.ts';

describe('in Azure', async () => {
  await serveAzure();
  await import('../system/warehouse/warehouse-store.test.ts');
  await import('../system/warehouse/warehouse-merge.test.ts');
  testsOfACloud();
});
