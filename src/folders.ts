import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Creates a folder, and those above it, and makes its name durable: a commit in a folder that a power cut takes away is
 * no commit. A step at a time, for `mkdir` with `recursive` never comes back from a file system that takes no folders,
 * such as /proc.
 * @param mode of the folders that are made; the process' own where it is left out
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  if (await isMade(path, mode)) return;
  await makeFolder(dirname(path), mode);
  if (await isMade(path, mode)) return;
  const facts = { code: 'ENOENT', syscall: 'mkdir', path };
  throw Object.assign(new Error(`ENOENT: no folder can be made at ${path}`), facts);
}

/** Makes the folder, unless it is there; `false` where what is above it is missing. */
async function isMade(path: string, mode?: number): Promise<boolean> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return true;
    if (code === 'ENOENT' && dirname(path) !== path) return false;
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder.
  if (process.platform !== 'win32') await syncFile(path, 'r');
}

/** Makes what a file holds durable. */
export async function syncFile(path: string, flags = 'r+'): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
