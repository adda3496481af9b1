import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { linkConnection } from '../../../src/connections/link.ts';
import { ownKeyFile } from '../../../src/settings/key-file.ts';
import { settingsOf } from '../../../src/settings/schema.ts';
import { setEnv } from '../../helpers/environment.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

it('leaves the key of a linked connection alone if its new settings cannot be written', async () => {
  const folder = await temporaryFolder();
  setEnv({ XDG_CONFIG_HOME: folder });
  const keyFile = ownKeyFile('prod');
  await mkdir(dirname(keyFile), { recursive: true });
  await writeFile(keyFile, 'old-key\n');
  // A folder in the place of the settings: they cannot be renamed into it.
  const file = join(folder, 'incident-io.json');
  await mkdir(join(file, 'in-the-way'), { recursive: true });
  const settings = settingsOf(
    {
      version: 2,
      connection: 'prod',
      apiKey: { file: keyFile },
      destination: './warehouse',
      tables: { users: {} },
    },
    file,
  );
  const linking = linkConnection(
    // No schedule is asked for before the settings are written.
    {
      client: {} as Client,
      warehouse: { assertWritable: async () => undefined },
      signal: AbortSignal.timeout(60_000),
    },
    { file, settings, key: 'new-key', replace: true },
    [],
  );
  await expect(linking).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
  expect(await readFile(keyFile, 'utf8')).toBe('old-key\n');
});
