import { spawnSync } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../helpers/sync.ts';

const script = fileURLToPath(new URL('../../scripts/prepare.mjs', import.meta.url));

/** A checkout as `npm ci --omit=dev` leaves it: TypeScript is missing. */
async function checkout(): Promise<{
  folder: string;
  prepare: () => { status: number | null; err: string };
}> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'scripts'));
  await cp(script, join(folder, 'scripts/prepare.mjs'));
  return {
    folder,
    prepare: () => {
      const { status, stderr } = spawnSync(process.execPath, ['scripts/prepare.mjs'], { cwd: folder });
      return { status, err: stderr.toString() };
    },
  };
}

it('says what to do if there is neither a build nor a compiler, instead of "tsc: not found"', async () => {
  const { prepare } = await checkout();
  const { status, err } = prepare();
  expect(status).toBe(1);
  expect(err).toMatch(/npm ci.*npm prune --omit=dev/);
  expect(err.trim().split('\n')).toHaveLength(1);
});

it('is content with a build that is there', async () => {
  const { folder, prepare } = await checkout();
  await mkdir(join(folder, 'dist/src/cli'), { recursive: true });
  await writeFile(join(folder, 'dist/src/cli/main.js'), '');
  expect(prepare()).toEqual({ status: 0, err: '' });
});
