import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { DestinationError } from '../../errors.ts';
import { makeFolder, syncFile, syncFolder } from '../../folders.ts';
import { type LocalStore, type StoredObject, writesFolder } from './store.ts';

/**
 * A store in a local folder. Put-if-absent is `link(2)`, which is atomic on one host and on any file system that
 * passes `Warehouse.assertWritable`. Objects are written whole in `_staging/_writes` first and then moved into
 * place, so a process that dies leaves nothing half-written where a reader looks.
 */
export function folderStore(root: string): LocalStore {
  const folder = resolve(root);
  const pathOf = (key: string) => join(folder, ...key.split('/'));

  async function writeAside(bytes: Uint8Array): Promise<string> {
    const path = pathOf(`${writesFolder}/${randomUUID()}`);
    await makeFolder(dirname(path));
    const file = await open(path, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    return path;
  }

  const store: LocalStore = {
    kind: 'folder',
    async list(prefix, { after = '' } = {}) {
      const found: StoredObject[] = [];
      const base = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      await listInto(found, folder, base, { prefix, after });
      return found.sort((a, b) => (a.key < b.key ? -1 : 1));
    },
    async folders() {
      const entries = await unlessMissing(readdir(folder, { withFileTypes: true })).catch(
        (error: unknown) => {
          if (codeOf(error) !== 'ENOTDIR') throw error;
          throw new DestinationError(`${folder} is not a folder.`, 'Name the folder that holds the tables.');
        },
      );
      return (entries ?? [])
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort();
    },
    async read(key) {
      return unlessMissing(readFile(pathOf(key)));
    },
    async write(key, bytes) {
      const aside = await writeAside(bytes);
      await makeFolder(dirname(pathOf(key)));
      await rename(aside, pathOf(key));
      await syncFolder(dirname(pathOf(key)));
    },
    async writeIfAbsent(key, bytes) {
      const aside = await writeAside(bytes);
      try {
        await makeFolder(dirname(pathOf(key)));
        await link(aside, pathOf(key));
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return false;
        throw error;
      } finally {
        await rm(aside, { force: true });
      }
      await syncFolder(dirname(pathOf(key)));
      return true;
    },
    async upload(key, localFile) {
      const path = pathOf(key);
      await makeFolder(dirname(path));
      const file = await open(localFile, 'r+');
      let bytes: number;
      try {
        await file.sync();
        bytes = (await file.stat()).size;
      } finally {
        await file.close();
      }
      try {
        await rename(localFile, path);
      } catch (error) {
        if (codeOf(error) !== 'EXDEV') throw error;
        // The table's folder is a file system of its own. Nobody knows the name yet, so a copy in place will do.
        await copyFile(localFile, path, constants.COPYFILE_EXCL);
        await syncFile(path);
        await rm(localFile);
      }
      await syncFolder(dirname(path));
      return bytes;
    },
    withLocal: (work) =>
      work({ room: Infinity, paths: (keys) => Promise.resolve(keys.map((key) => pathOf(key))) }),
    async scratch(prefix) {
      const path = pathOf(`${prefix}/${randomUUID()}`);
      await makeFolder(path);
      return path;
    },
    async delete(keys) {
      for (const key of keys) await rm(pathOf(key), { force: true });
    },
    async deleteAll(prefix) {
      if (prefix.endsWith('/')) await removeFolder(pathOf(prefix));
      else await store.delete((await store.list(prefix)).map(({ key }) => key));
    },
    get local() {
      return store;
    },
  };
  return store;
}

async function listInto(
  found: StoredObject[],
  folder: string,
  within: string,
  asked: { readonly prefix: string; readonly after: string },
): Promise<void> {
  const { prefix, after } = asked;
  const entries = await unlessMissing(readdir(join(folder, within), { withFileTypes: true }));
  for (const entry of entries ?? []) {
    const key = within + entry.name;
    if (entry.isDirectory()) {
      const below = `${key}/`;
      if (below.startsWith(prefix) || prefix.startsWith(below)) await listInto(found, folder, below, asked);
    } else if (key.startsWith(prefix) && key > after) {
      // A file may go between the listing and this look: then it is not there.
      const facts = await unlessMissing(stat(join(folder, key)));
      if (facts?.isFile()) found.push({ key, bytes: facts.size, writtenAt: facts.mtimeMs });
    }
  }
}

/** No error where there is none, nor where a file stands in the way: nothing can lie beneath it. */
async function removeFolder(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (codeOf(error) !== 'ENOTDIR') throw error;
  }
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
