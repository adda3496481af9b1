import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { DestinationError } from '../../../src/errors.ts';
import { openStore } from '../../../src/warehouse/store/open-store.ts';
import { awsVariables, setEnv } from '../../helpers/environment.ts';
import { memoryS3 } from '../../helpers/memory-s3.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const run = promisify(execFile);

// The library works like this on Linux only.
const canPreload = existsSync('/proc') && spawnSync('gcc', ['--version']).status === 0;

it('a bucket without a usable TMPDIR is an error that names the folder and the variable', async () => {
  const file = join(await temporaryFolder(), 'file');
  await writeFile(file, '');
  setEnv({ ...awsVariables, TMPDIR: file });
  const error: unknown = await openStore('s3://bucket/tables').catch((error: unknown) => error);
  expect(error).toBeInstanceOf(DestinationError);
  expect((error as DestinationError).message).toContain(file);
  expect((error as DestinationError).advice).toContain('TMPDIR');
});

describe.runIf(canPreload)('on a system without hard links and without an entry for its user', () => {
  /** The outcome of a probe by a process of its own. */
  async function probed(destination: string, env: NodeJS.ProcessEnv): Promise<string> {
    const library = join(await temporaryFolder(), 'odd-system.so');
    await run('gcc', ['-shared', '-fPIC', '-o', library, here('../../fixtures/odd-system.c')]);
    const args = ['--import', here('../../helpers/run-typescript.mjs')];
    const script = here('../../helpers/probe-destination.ts');
    const { stdout } = await run(process.execPath, [...args, script, destination], {
      env: { ...process.env, ...env, LD_PRELOAD: library },
    });
    return stdout.trim();
  }

  it('a folder is refused, and left as it was', async () => {
    const folder = await temporaryFolder();
    const { error, message, advice } = JSON.parse(await probed(folder, {})) as { [name: string]: string };
    expect(error).toBe('DestinationError');
    expect(message).toContain(folder);
    expect(message).toContain('hard links (ENOTSUP)');
    expect(advice).toMatch(/another disk.*bucket/);
    const left = await readdir(folder, { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
  });

  it('a bucket works', async () => {
    const { destination } = await memoryS3();
    expect(await probed(destination, awsVariables)).toBe('accepted');
  });
});
