import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../errors.ts';

/** The settings files that are named, and those in named folders. Throws `UsageError` if a folder has none. */
export async function settingsFilesIn(paths: readonly string[]): Promise<string[]> {
  const files = await Promise.all(
    paths.map(async (path) => {
      const inside = await filesInFolder(path);
      if (inside?.length !== 0) return inside ?? [path];
      throw new UsageError(
        `The folder ${path} contains no settings files.`,
        'Their names end in .json; name one, or a folder of them, with --settings.',
      );
    }),
  );
  return [...new Set(files.flat())];
}

/** The same as they are now: a folder may be empty for a while, and a named file may be missing. */
export async function settingsFilesNow(paths: readonly string[]): Promise<string[]> {
  const files = await Promise.all(paths.map(async (path) => (await filesInFolder(path)) ?? [path]));
  return [...new Set(files.flat())];
}

/** Whether these paths name one file and no folder. */
export async function isOneFile(paths: readonly string[]): Promise<boolean> {
  return paths.length === 1 && (await filesInFolder(paths[0]!)) === undefined;
}

/** `undefined` for anything but a folder. A path that cannot be accessed is reported when the settings are read. */
async function filesInFolder(path: string): Promise<string[] | undefined> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory();
  if (isFolder !== true) return undefined;
  const names = (await readdir(path)).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  return names.sort().map((name) => join(path, name));
}
