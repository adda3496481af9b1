import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { homeFolder, ownKeyFile, ownKeyFileIfAny, writeKeyFile } from '../../../src/settings/key-file.ts';
import { setEnv } from '../../helpers/environment.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

// What Node throws for a user without HOME whom the system does not know, as in a container with any user id.
vi.mock('node:os', async (original) => ({
  ...(await original<object>()),
  homedir: () => {
    throw Object.assign(new Error('uv_os_homedir returned ENOENT'), { code: 'ERR_SYSTEM_ERROR' });
  },
}));

describe('the key file of a user without a home folder', () => {
  it('is an error that names the variable to set, not one of the system', () => {
    setEnv({ HOME: '', XDG_CONFIG_HOME: '' });
    expect(homeFolder()).toBeUndefined();
    expect(ownKeyFileIfAny('prod')).toBeUndefined();
    const refused = () => ownKeyFile('prod');
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('HOME') as string,
        advice: expect.stringContaining('XDG_CONFIG_HOME') as string,
      }) as UsageError,
    );
  });

  it('is below XDG_CONFIG_HOME if that is set', () => {
    setEnv({ HOME: '', XDG_CONFIG_HOME: '/config' });
    expect(ownKeyFile('prod')).toBe('/config/incident-io-source/prod.key');
  });
});

describe('writeKeyFile', () => {
  const contentOf = async (file: string) => (await readFile(file, 'utf8')).trim();

  it('keeps the key that it replaces until the new one is placed: a command may fail in between', async () => {
    const file = join(await temporaryFolder(), 'keys', 'prod.key');
    await (await writeKeyFile(file, 'old-key', { replace: false })).place();
    const dropped = await writeKeyFile(file, 'new-key', { replace: true });
    expect(await contentOf(file)).toBe('old-key');
    await dropped.discard();
    expect(await contentOf(file)).toBe('old-key');
    const placed = await writeKeyFile(file, 'new-key', { replace: true });
    await placed.place();
    expect(await contentOf(file)).toBe('new-key');
    expect(await readdir(join(file, '..'))).toEqual(['prod.key']);
  });

  it('refuses to replace a key unasked', async () => {
    const file = join(await temporaryFolder(), 'prod.key');
    await writeKeyFile(file, 'old-key', { replace: false });
    await expect(writeKeyFile(file, 'new-key', { replace: false })).rejects.toThrow(UsageError);
    expect(await contentOf(file)).toBe('old-key');
  });
});
