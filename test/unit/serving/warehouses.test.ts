import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { toFailure } from '../../../activities/failures.ts';
import { ConnectionsByPlace, fixedConnections } from '../../../src/serving/connections.ts';
import { OpenWarehouses, warehousesOf, warehousesServed } from '../../../src/serving/warehouses.ts';
import { parseSettings } from '../../../src/settings/file.ts';
import { destinationQueue, workerQueue } from '../../../src/temporal/names.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

const pool = workerQueue({ destination: '', pool: 'eu' });
const place = workerQueue({ destination: '/data/a' });

async function served() {
  const folder = await temporaryFolder();
  const opened = new OpenWarehouses();
  onTestFinished(() => opened.close());
  const text = JSON.stringify({
    version: 2,
    connection: 'prod',
    apiKey: { env: 'PROD_KEY' },
    destination: join(folder, 'prod'),
    tables: { users: {} },
  });
  const { settings } = await parseSettings(text, join(folder, 'prod.json'));
  const byPlace = new ConnectionsByPlace(fixedConnections([settings]));
  return { settings, opened, warehouses: warehousesOf(byPlace, opened) };
}

const where = ({ destination }: { readonly destination: string }) => Promise.resolve(destination);

it('opens the destination of the settings for a run that names it, or that comes from the destination’s own queue', async () => {
  const { settings, warehouses } = await served();
  const { destination } = settings;
  expect(await warehouses.use({ destination, taskQueue: pool }, where)).toBe(destination);
  expect(await warehouses.use({ taskQueue: destinationQueue(destination) }, where)).toBe(destination);
  expect(warehouses.sourceOf({ destination })).toMatchObject({ apiKey: { env: 'PROD_KEY' } });
});

it.each([
  ['never', pool],
  ['later', place],
] as const)('refuses other destinations: a retry may help %s', async (retry, taskQueue) => {
  const { warehouses } = await served();
  for (const origin of [{ destination: '/etc', taskQueue }, { taskQueue }]) {
    const error: unknown = await warehouses.use(origin, where).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'DestinationNotServedError', retry });
    expect((error as Error).message).toContain(origin.destination ?? taskQueue);
    expect(toFailure(error).nonRetryable).toBe(retry === 'never');
  }
});

it('a platform decides which destinations its pool serves', async () => {
  const { opened } = await served();
  const folder = await temporaryFolder();
  const warehouses = warehousesServed(opened, (destination) => destination === folder);
  expect(await warehouses.use({ destination: folder, taskQueue: pool }, where)).toBe(folder);
  const other = warehouses.use({ destination: `${folder}/x`, taskQueue: pool }, where);
  await expect(other).rejects.toMatchObject({ name: 'DestinationNotServedError', retry: 'never' });
});
