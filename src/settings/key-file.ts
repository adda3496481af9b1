import { open, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { makeFolder } from '../folders.ts';

/** The user's home folder; `undefined` for a user without one, as in some containers. */
export function homeFolder(): string | undefined {
  const home = resolve(process.env['HOME'] || homedir());
  return home === resolve('/') ? undefined : home;
}

/** The path of a key file as settings name it: relative to their folder, absolute, or below the home folder as `~/…`. */
export function keyFilePath(folder: string, path: string): string {
  const home = path.startsWith('~/') ? homeFolder() : undefined;
  return home === undefined ? resolve(folder, path) : join(home, path.slice('~/'.length));
}

/** Where `link` keeps the key of a connection, apart from the settings, which are meant for version control. */
export function ownKeyFile(connection: string): string {
  const folder = process.env['XDG_CONFIG_HOME'] || join(process.env['HOME'] || homedir(), '.config');
  return resolve(folder, 'incident-io-source', `${connection}.key`);
}

/**
 * Writes a key file that only its owner can read.
 * @param replace whether one that exists is replaced
 *
 * Throws `UsageError` if there is one and it is not to be replaced.
 */
export async function writeKeyFile(
  file: string,
  key: string,
  { replace }: { readonly replace: boolean },
): Promise<void> {
  await makeFolder(dirname(file), 0o700);
  if (replace) await rm(file, { force: true });
  try {
    // A new file: nobody else has it open, and it is not a link to somewhere else.
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(`${key}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new UsageError(
      `The key file ${file} already exists: a connection of this name has been linked before.`,
      'Give this connection another name, use that file (--key-file), or replace it (--force).',
    );
  }
}
