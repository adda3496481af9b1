import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DestinationError } from '../../../../src/errors.ts';
import { cli } from '../../../helpers/cli.ts';
import { temporaryFolder } from '../../../helpers/sync.ts';

/** A folder with the settings of a connection, as `link` leaves it, but without tables. */
async function linkedFolder() {
  const folder = await temporaryFolder();
  const file = join(folder, 'incident-io.json');
  const settings = {
    version: 2,
    connection: 'prod',
    apiKey: { env: 'KEY' },
    destination: './tables',
    tables: { users: {} },
  };
  await writeFile(file, JSON.stringify(settings));
  await mkdir(join(folder, 'tables'));
  return { folder, file };
}

it('query reads the tables of the settings, and says which it used', async () => {
  const { folder, file } = await linkedFolder();
  const { code, err } = await cli(['query', 'SELECT 1', '--settings', file]);
  expect(code).toBe(1);
  const [note, error] = err.split('\n');
  expect(note).toContain(join(folder, 'tables'));
  expect(note).toContain(file);
  // There are none: the error names the same place.
  expect(error).toContain(join(folder, 'tables'));
});

it('query takes an explicit destination before the settings, and refuses both', async () => {
  const { folder, file } = await linkedFolder();
  const other = join(folder, 'other');
  const { out, err } = await cli(['query', 'SELECT 1', '--from', other, '--json']);
  expect(err).toBe('');
  expect(JSON.parse(out)).toMatchObject({ error: DestinationError.name });
  expect(out).toContain(other);
  expect((await cli(['query', 'SELECT 1', '--from', other, '--settings', file])).code).toBe(2);
});
