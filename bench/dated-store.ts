import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { folderStore } from '../src/warehouse/folder-store.ts';
import type { Store } from '../src/warehouse/store.ts';

/** A store in a folder that dates its files by another clock, so that months can be played in minutes. */
export function datedStore(root: string, now: () => number): Store {
  const store = folderStore(root);
  const date = (key: string) => utimes(join(root, key), now() / 1_000, now() / 1_000);
  return {
    ...store,
    async write(key, bytes) {
      await store.write(key, bytes);
      await date(key);
    },
    async writeIfAbsent(key, bytes) {
      const written = await store.writeIfAbsent(key, bytes);
      if (written) await date(key);
      return written;
    },
    async upload(key, localFile) {
      const bytes = await store.upload(key, localFile);
      await date(key);
      return bytes;
    },
  };
}
