import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LocalCopies } from '../../../src/warehouse/store/local-copies.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

/** Objects of ten bytes each, their key over and over. */
async function copiesOf(room: number) {
  const folder = await temporaryFolder();
  const downloads: string[] = [];
  const copies = new LocalCopies(folder, room, async (key, path, reserve) => {
    downloads.push(key);
    await reserve(10);
    await writeFile(path, key.repeat(10));
  });
  const bytesThere = async () => {
    const sizes = await Promise.all((await readdir(folder)).map((name) => stat(join(folder, name))));
    return sizes.reduce((sum, { size }) => sum + size, 0);
  };
  return { copies, downloads, bytesThere };
}

it('keeps within its room, and what was asked for last', async () => {
  const { copies, downloads, bytesThere } = await copiesOf(30);
  for (const key of ['a', 'b', 'c', 'a']) await copies.paths([key]);
  await copies.paths(['d']);
  expect(await bytesThere()).toBe(30);
  const [a, d, again] = await copies.paths(['a', 'd', 'a']);
  expect(again).toBe(a);
  expect([await readFile(a!, 'utf8'), await readFile(d!, 'utf8')]).toEqual(['a'.repeat(10), 'd'.repeat(10)]);
  await copies.paths(['b']);
  expect(downloads).toEqual(['a', 'b', 'c', 'd', 'b']);
  expect(await bytesThere()).toBe(30);
});

it('has all that is asked for at once, and no more once it is not', async () => {
  const { copies, bytesThere } = await copiesOf(25);
  const keys = 'abcdefghijkl'.split('');
  const paths = await copies.paths(keys);
  expect(await Promise.all(paths.map((path) => readFile(path, 'utf8')))).toEqual(
    keys.map((key) => key.repeat(10)),
  );
  await copies.paths(['z']);
  expect(await bytesThere()).toBe(20);
});

it('begins no more downloads after one that failed, and tells of it once the others are over', async () => {
  const folder = await temporaryFolder();
  let running = 0;
  let begun = 0;
  const copies = new LocalCopies(folder, 100, async (key) => {
    begun += 1;
    running += 1;
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    if (key === 'k0') throw new Error('gone');
  });
  const failure = copies.paths(Array.from({ length: 100 }, (_, index) => `k${index}`));
  await expect(failure).rejects.toThrow('gone');
  expect(running).toBe(0);
  expect(begun).toBeLessThan(20);
});
