import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DestinationError } from '../../errors.ts';
import { makeFolder, syncFile, syncFolder } from '../../folders.ts';
import { noLinks } from './link-or-copy.ts';
import { type LocalStore, type StoredObject, writesFolder } from './store.ts';

/**
 * A store in a local folder. Objects are first written whole in `_staging/_writes` and then moved into place, so a
 * process that dies leaves no half-written file where a reader looks.
 */
export function folderStore(root: string): LocalStore {
  const folder = resolve(root);
  const pathOf = (key: string) => join(folder, ...key.split('/'));
  const writeAside = (bytes: Uint8Array) => writeNew(pathOf(`${writesFolder}/${randomUUID()}`), bytes);
  const store: LocalStore = {
    kind: 'folder',
    trusted: true,
    async list(prefix, { after = '' } = {}) {
      const found: StoredObject[] = [];
      const base = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      await listInto(found, folder, base, { prefix, after });
      return found.sort((a, b) => (a.key < b.key ? -1 : 1));
    },
    folders: () => subfoldersOf(folder),
    read: (key) => unlessMissing(readFile(pathOf(key))),
    async write(key, bytes) {
      const aside = await writeAside(bytes);
      await makeFolder(dirname(pathOf(key)));
      await rename(aside, pathOf(key));
      await syncFolder(dirname(pathOf(key)));
    },
    async writeIfAbsent(key, bytes, whenReady) {
      const aside = await writeAside(bytes);
      try {
        await whenReady?.();
        return await linkIfAbsent(aside, pathOf(key), folder);
      } finally {
        await rm(aside, { force: true });
      }
    },
    upload: (key, localFile) => moveInto(localFile, pathOf(key)),
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

/** Durably writes a file that nothing else knows about yet. */
async function writeNew(path: string, bytes: Uint8Array): Promise<string> {
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

/**
 * Gives a finished file a second name unless something has that name; `false` if something has. Only `link(2)` does
 * this in one step: a file created in place would be visible half-written, and a rename replaces what is there.
 */
async function linkIfAbsent(file: string, path: string, root: string): Promise<boolean> {
  await makeFolder(dirname(path));
  try {
    await link(file, path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return false;
    if (!noLinks.includes(code)) throw error;
    throw new DestinationError(
      `The file system of ${root} has no hard links (${code}), so two writers could replace each other's commits.`,
      'Use a folder on another disk, or a bucket.',
      { cause: error },
    );
  }
  await syncFolder(dirname(path));
  return true;
}

/** Moves a local file to a path that nothing else knows about yet; returns its size in bytes. */
async function moveInto(localFile: string, path: string): Promise<number> {
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
    // The table's folder is a file system of its own. Copying in place is safe, since nothing else knows the name yet.
    await copyFile(localFile, path, constants.COPYFILE_EXCL);
    await syncFile(path);
    await rm(localFile);
  }
  await syncFolder(dirname(path));
  return bytes;
}

async function subfoldersOf(folder: string): Promise<string[]> {
  try {
    const entries = (await unlessMissing(readdir(folder, { withFileTypes: true }))) ?? [];
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (codeOf(error) !== 'ENOTDIR') throw error;
    throw new DestinationError(`${folder} is not a folder.`, 'Name the folder that contains the tables.');
  }
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
      // A file may be deleted between the listing and this call.
      const facts = await unlessMissing(stat(join(folder, key)));
      if (facts?.isFile()) found.push({ key, bytes: facts.size, writtenAt: facts.mtimeMs });
    }
  }
}

/** No error if there is no such folder, nor if a file is in its place: then nothing can be in it. */
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

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
