import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LocalCopies } from '../../../src/warehouse/store/local-copies.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

/** Copies of objects of ten bytes, each filled with its key. */
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

it('stays within its room and keeps the copies that were requested last', async () => {
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

it('exceeds its room only for keys that are requested together', async () => {
  const { copies, bytesThere } = await copiesOf(25);
  const keys = 'abcdefghijkl'.split('');
  const paths = await copies.paths(keys);
  expect(await Promise.all(paths.map((path) => readFile(path, 'utf8')))).toEqual(
    keys.map((key) => key.repeat(10)),
  );
  await copies.paths(['z']);
  expect(await bytesThere()).toBe(20);
});

it('starts no more downloads after one failed, and reports the failure once the others have ended', async () => {
  const folder = await temporaryFolder();
  let running = 0;
  let started = 0;
  const copies = new LocalCopies(folder, 100, async (key) => {
    started += 1;
    running += 1;
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    if (key === 'k0') throw new Error('gone');
  });
  const failure = copies.paths(Array.from({ length: 100 }, (_, index) => `k${index}`));
  await expect(failure).rejects.toThrow('gone');
  expect(running).toBe(0);
  expect(started).toBeLessThan(20);
});
