import { describe } from 'vitest';
import { serveAzure } from '../helpers/cloud-emulators.ts';
import { testsOfACloud } from './tests-of-a-cloud.ts';

// The tests that look at objects as files cannot be run here: Azurite keeps them in memory.
describe('in Azure', async () => {
  await serveAzure();
  await import('../system/warehouse/warehouse-store.test.ts');
  testsOfACloud();
});
