import { open, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { makeFolder } from '../folders.ts';

/** Where `link` keeps the key of a connection, away from the settings, which are meant for version control. */
export function ownKeyFile(connection: string): string {
  const { XDG_CONFIG_HOME, HOME } = process.env;
  const folder = XDG_CONFIG_HOME || join(HOME || homedir(), '.config');
  return resolve(folder, 'incident-io-source', `${connection}.key`);
}

/**
 * Writes a key file that only its owner can read.
 * @param replace whether one that is there already is replaced.
 *
 * Throws `UsageError` where there is one and it is not.
 */
export async function writeKeyFile(
  file: string,
  key: string,
  { replace }: { readonly replace: boolean },
): Promise<void> {
  await makeFolder(dirname(file), 0o700);
  if (replace) await rm(file, { force: true });
  try {
    // Created anew, so that nobody has it open and no link leads elsewhere.
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
      `${file} holds the key of a connection of this name already.`,
      'Give this connection another name, use that file (--key-file), or replace it with --force.',
    );
  }
}
