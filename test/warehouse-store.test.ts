import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { folderStore } from '../src/warehouse/folder-store.ts';
import type { Store } from '../src/warehouse/store.ts';

async function openStore(): Promise<{ root: string; store: Store }> {
  const root = await mkdtemp(join(tmpdir(), 'incident-io-source-store-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return { root, store: folderStore(root) };
}

const bytes = (text: string) => Buffer.from(text);

it('lets one of many writers have a name, and keeps what it wrote', async () => {
  const { root, store } = await openStore();
  for (let round = 0; round < 20; round += 1) {
    const won = await Promise.all(
      Array.from({ length: 8 }, (_, writer) => store.writeIfAbsent(`log/${round}`, bytes(`of ${writer}`))),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await store.read(`log/${round}`))?.toString()).toBe(`of ${won.indexOf(true)}`);
  }
  expect(await readdir(join(root, '_staging', '_writes'))).toEqual([]);
});

it('lists objects under a prefix at any depth, in order, and none where there is nothing', async () => {
  const { store } = await openStore();
  for (const key of ['a/b/2', 'a/b/10', 'a/bc/1', 'z']) await store.write(key, bytes(key));
  const keysOf = async (prefix: string) => (await store.list(prefix)).map(({ key }) => key);
  expect(await keysOf('')).toEqual(['a/b/10', 'a/b/2', 'a/bc/1', 'z']);
  expect(await keysOf('a/b/')).toEqual(['a/b/10', 'a/b/2']);
  expect(await keysOf('a/b')).toEqual(['a/b/10', 'a/b/2', 'a/bc/1']);
  expect(await keysOf('a/b/1')).toEqual(['a/b/10']);
  expect(await keysOf('nothing/here')).toEqual([]);
  expect((await store.list('z'))[0]).toMatchObject({ bytes: 1 });
});

it('reads, replaces, uploads and deletes', async () => {
  const { root, store } = await openStore();
  expect(await store.read('a/x')).toBeUndefined();
  await store.write('a/x', bytes('one'));
  await store.write('a/x', bytes('two'));
  expect((await store.read('a/x'))?.toString()).toBe('two');
  const scratch = await store.local.scratch('_staging/t');
  expect(scratch.startsWith(join(root, '_staging', 't'))).toBe(true);
  await writeFile(join(scratch, 'f'), 'three');
  expect(await store.upload('a/deep/y', join(scratch, 'f'))).toBe(5);
  expect(await readdir(scratch)).toEqual([]);
  const paths = await store.withLocal((local) => local.paths(['a/deep/y', 'a/x']));
  expect(paths).toEqual([join(root, 'a', 'deep', 'y'), join(root, 'a', 'x')]);
  await store.delete(['a/x', 'a/none']);
  await store.delete(['a/x']);
  await store.deleteAll('a/nothing/');
  expect((await store.list('a/')).map(({ key }) => key)).toEqual(['a/deep/y']);
  await store.deleteAll('a/');
  expect(await store.list('a/')).toEqual([]);
});

it('does not take a folder that it cannot read for an empty one', async () => {
  const { root, store } = await openStore();
  await mkdir(join(root, 'a'));
  await writeFile(join(root, 'a', 'file'), '');
  await expect(store.list('a/file/')).rejects.toThrow(/ENOTDIR/);
  await expect(store.read('a/file/x')).rejects.toThrow(/ENOTDIR/);
});
