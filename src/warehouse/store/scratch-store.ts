import { lstat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DestinationError } from '../../errors.ts';
import { makeFolder } from '../../folders.ts';
import { folderStore } from './folder-store.ts';
import type { LocalStore } from './store.ts';

/**
 * A folder on this machine for files on their way to or from a bucket. All processes of a user share it, so that one
 * sweeps away what another left when it died. Only this user may read it: rows are in it.
 */
export async function scratchStore(): Promise<LocalStore> {
  // `os.userInfo()` would fail for a user without an entry in /etc/passwd, as containers may have.
  const uid = process.getuid?.();
  const folder = join(tmpdir(), `incident-io-source-${uid ?? 'user'}`);
  try {
    await makeFolder(folder, 0o700);
  } catch (cause) {
    throw new DestinationError(
      `The folder for files on their way to and from a bucket cannot be created: ${(cause as Error).message}.`,
      'Set TMPDIR to a folder with free space where this user may write.',
      { cause },
    );
  }
  const facts = await lstat(folder);
  const isOurs =
    facts.isDirectory() && (uid === undefined || (facts.uid === uid && (facts.mode & 0o077) === 0));
  if (isOurs) return folderStore(folder);
  throw new DestinationError(
    `${folder} is not a folder that only this user can read.`,
    'Delete it, or set TMPDIR to another folder with free space.',
  );
}
