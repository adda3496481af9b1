import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../../errors.ts';

/** The settings files that are named, and those in named folders. Throws `UsageError` if a folder has none. */
export async function settingsFilesIn(paths: readonly string[]): Promise<string[]> {
  const files = await Promise.all(
    paths.map(async (path) => {
      const isFolder = (await stat(path).catch(() => undefined))?.isDirectory();
      // A path that cannot be looked at is reported when the settings are read.
      if (isFolder !== true) return [path];
      const names = (await readdir(path)).filter((name) => name.endsWith('.json')).sort();
      if (names.length > 0) return names.map((name) => join(path, name));
      throw new UsageError(
        `The folder ${path} contains no settings files.`,
        'Their names end in .json; name one, or a folder of them, with --settings.',
      );
    }),
  );
  return [...new Set(files.flat())];
}
