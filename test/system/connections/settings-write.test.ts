import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { settingsOf } from '../../../src/settings/schema.ts';
import { writeSettings } from '../../../src/settings/write.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

// A network folder that goes away between two calls: nothing on this machine fails just there.
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<object>()),
  rename: async () => {
    throw Object.assign(new Error('EIO: i/o error, rename'), { code: 'EIO' });
  },
}));

it('leaves no empty settings file if they cannot be put in its place', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'incident-io.json');
  const settings = settingsOf(
    {
      version: 2,
      connection: 'prod',
      apiKey: { env: 'KEY' },
      destination: './warehouse',
      tables: { users: {} },
    },
    file,
  );
  await expect(writeSettings(file, settings, { replace: false })).rejects.toThrow('EIO');
  expect(await readdir(folder)).toEqual([]);
});
