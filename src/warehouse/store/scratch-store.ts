import { lstat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import { DestinationError } from '../../errors.ts';
import { makeFolder } from '../../folders.ts';
import { folderStore } from './folder-store.ts';
import type { LocalStore } from './store.ts';

/**
 * A folder of this machine and user for what is on its way to or from a bucket, the same for all of their processes:
 * so what one leaves that dies is swept by the others. Rows lie in it, so nobody else may read it.
 */
export async function scratchStore(): Promise<LocalStore> {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `incident-io-source-${uid}`);
  await makeFolder(folder, 0o700);
  const facts = await lstat(folder);
  const isOurs =
    facts.isDirectory() &&
    (process.platform === 'win32' || (facts.uid === uid && (facts.mode & 0o077) === 0));
  if (isOurs) return folderStore(folder);
  throw new DestinationError(
    `${folder} is not a folder that only this user can read.`,
    'Delete it, or set TMPDIR to a folder with room.',
  );
}
