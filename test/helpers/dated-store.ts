import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../../src/warehouse/store/store.ts';

/**
 * A store that dates its objects by another clock, so that a test can play months in minutes.
 * @param folder the folder in which its objects are files
 */
export function datedStore(store: Store, folder: string, now: () => number): Store {
  const date = (key: string) => utimes(join(folder, key), now() / 1_000, now() / 1_000);
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
    async upload(key, localFile, options) {
      const bytes = await store.upload(key, localFile, options);
      await date(key);
      return bytes;
    },
  };
}
