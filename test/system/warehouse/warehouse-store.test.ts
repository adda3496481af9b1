import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { openStore } from '../../../src/warehouse/store/open-store.ts';
import { folderStore } from '../../../src/warehouse/store/folder-store.ts';
import type { Store } from '../../../src/warehouse/store/store.ts';
import { bucketFolder, destinationAt } from '../../helpers/bucket.ts';

async function newFolder(): Promise<string> {
  const root = await mkdtemp(join(bucketFolder() ?? tmpdir(), 'incident-io-source-store-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return root;
}

async function newStore(): Promise<Store> {
  return openStore(destinationAt(await newFolder()));
}

const bytes = (text: string) => Buffer.from(text);

/** Uploads a new file; its size as the store returns it. */
async function upload(store: Store, key: string, content: string | Buffer): Promise<number> {
  const scratch = await store.local.scratch('_staging/t');
  onTestFinished(() => rm(scratch, { recursive: true, force: true }));
  await writeFile(join(scratch, 'f'), content);
  const size = await store.upload(key, join(scratch, 'f'));
  expect(await readdir(scratch)).toEqual([]);
  return size;
}

it('lets exactly one of many writers have a name, and keeps what that one wrote', async () => {
  const store = await newStore();
  for (let round = 0; round < 20; round += 1) {
    const won = await Promise.all(
      Array.from({ length: 8 }, (_, writer) => store.writeIfAbsent(`log/${round}`, bytes(`of ${writer}`))),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await store.read(`log/${round}`))?.toString()).toBe(`of ${won.indexOf(true)}`);
  }
  expect(await store.list('_staging/')).toEqual([]);
});

it('lists objects under a prefix at any depth, in order, and none if there is nothing under it', async () => {
  const store = await newStore();
  for (const key of ['a/b/2', 'a/b/10', 'a/bc/1', 'z/1']) await store.write(key, bytes(key));
  const keysOf = async (...asked: Parameters<Store['list']>) =>
    (await store.list(...asked)).map(({ key }) => key);
  expect(await keysOf('')).toEqual(['a/b/10', 'a/b/2', 'a/bc/1', 'z/1']);
  expect(await keysOf('a/b/')).toEqual(['a/b/10', 'a/b/2']);
  expect(await keysOf('a/b')).toEqual(['a/b/10', 'a/b/2', 'a/bc/1']);
  expect(await keysOf('a/b/1')).toEqual(['a/b/10']);
  expect(await keysOf('a/b/', { after: 'a/b/10' })).toEqual(['a/b/2']);
  expect(await keysOf('a/b/', { after: 'a/b/1' })).toEqual(['a/b/10', 'a/b/2']);
  expect(await keysOf('nothing/here')).toEqual([]);
  expect((await store.list('z'))[0]).toMatchObject({ bytes: 3 });
  expect((await store.folders()).filter((name) => name !== '_staging')).toEqual(['a', 'z']);
});

it('reads, replaces, uploads and deletes', async () => {
  const store = await newStore();
  expect(await store.read('a/x')).toBeUndefined();
  await store.write('a/x', bytes('one'));
  await store.write('a/x', bytes('two'));
  expect((await store.read('a/x'))?.toString()).toBe('two');
  expect(await upload(store, 'a/deep/y', 'three')).toBe(5);
  // Larger than one part of an upload.
  const large = Buffer.alloc(17 * 2 ** 20, 'large');
  expect(await upload(store, 'a/deep/z', large)).toBe(large.byteLength);
  await store.withLocal(async (local) => {
    const [y, x, z] = await local.paths(['a/deep/y', 'a/x', 'a/deep/z']);
    expect(await readFile(y!, 'utf8')).toBe('three');
    expect(await readFile(x!, 'utf8')).toBe('two');
    expect(large.equals(await readFile(z!))).toBe(true);
  });
  await store.delete(['a/x', 'a/none']);
  await store.delete(['a/x']);
  await store.deleteAll('a/nothing/');
  expect((await store.list('a/')).map(({ key }) => key)).toEqual(['a/deep/y', 'a/deep/z']);
  await store.deleteAll('a/');
  expect(await store.list('a/')).toEqual([]);
});

describe.skipIf(bucketFolder())('a store in a folder', () => {
  it('that cannot be read is not mistaken for an empty folder', async () => {
    const root = await newFolder();
    const store = folderStore(root);
    await mkdir(join(root, 'a'));
    await writeFile(join(root, 'a', 'file'), '');
    await expect(store.list('a/file/')).rejects.toThrow(/ENOTDIR/);
    await expect(store.read('a/file/x')).rejects.toThrow(/ENOTDIR/);
  });

  it('gives its own files as local ones, and keeps files on their way in its staging', async () => {
    const root = await newFolder();
    const store = folderStore(root);
    expect(await store.withLocal((local) => local.paths(['a/x']))).toEqual([join(root, 'a', 'x')]);
    expect((await store.scratch('_staging/t')).startsWith(join(root, '_staging', 't'))).toBe(true);
  });
});
