import { open, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { makeFolder } from '../folders.ts';

/** The user's home folder; `undefined` for a user without one, as in some containers. */
export function homeFolder(): string | undefined {
  const home = process.env['HOME'] || systemHome();
  return home === undefined || resolve(home) === resolve('/') ? undefined : resolve(home);
}

/** Without `HOME`, the home folder of the user that the system knows; it throws if it does not know the user. */
function systemHome(): string | undefined {
  try {
    return homedir();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw error;
    return undefined;
  }
}

/** The path of a key file as settings name it: relative to their folder, absolute, or below the home folder as `~/…`. */
export function keyFilePath(folder: string, path: string): string {
  const home = path.startsWith('~/') ? homeFolder() : undefined;
  return home === undefined ? resolve(folder, path) : join(home, path.slice('~/'.length));
}

/**
 * Where `link` keeps the key of a connection, apart from the settings, which are meant for version control. `undefined`
 * for a user without a home folder, if `XDG_CONFIG_HOME` names no other.
 */
export function ownKeyFileIfAny(connection: string): string | undefined {
  const home = process.env['HOME'] || systemHome();
  const folder = process.env['XDG_CONFIG_HOME'] || (home && join(home, '.config'));
  return folder && resolve(folder, 'incident-io-source', `${connection}.key`);
}

/** The same, if there has to be one. Throws `UsageError`. */
export function ownKeyFile(connection: string): string {
  const file = ownKeyFileIfAny(connection);
  if (file !== undefined) return file;
  throw new UsageError(
    'There is no folder for the key file: HOME is not set, and the system does not know this user.',
    'Set XDG_CONFIG_HOME to a folder that this user may write to, or name where the key is (--key-env or --key-file).',
  );
}

/** A key file that is written, but perhaps not in its place yet. */
export type WrittenKey = {
  /** Moves it into place. Until then, a file that it replaces stays unchanged. */
  readonly place: () => Promise<void>;
  readonly discard: () => Promise<void>;
};

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
): Promise<WrittenKey> {
  await makeFolder(dirname(file), 0o700);
  if (!replace) {
    await writeNew(file, key);
    return { place: async () => undefined, discard: () => rm(file, { force: true }) };
  }
  const next = `${file}.new`;
  await rm(next, { force: true });
  await writeNew(next, key);
  return { place: () => rename(next, file), discard: () => rm(next, { force: true }) };
}

/** A new file: no other process has it open, and it is not a link to somewhere else. */
async function writeNew(file: string, key: string): Promise<void> {
  try {
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
