import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Creates a folder and those above it, durably: if a power cut took the folder away, it would take the commits in it
 * too. It creates one folder at a time, because `mkdir` with `recursive` never returns on a file system that has no
 * room for folders, such as /proc.
 * @param mode of the folders that are created; left out, the process's default
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  if (await isMade(path, mode)) return;
  await makeFolder(dirname(path), mode);
  if (await isMade(path, mode)) return;
  const facts = { code: 'ENOENT', syscall: 'mkdir', path };
  throw Object.assign(new Error(`ENOENT: no folder can be created at ${path}`), facts);
}

/** Creates a folder unless it exists; `false` if the folder above it is missing. */
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

/** Makes the names of the files in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder.
  if (process.platform !== 'win32') await syncFile(path, 'r');
}

/** Makes the content of a file durable. */
export async function syncFile(path: string, flags = 'r+'): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
