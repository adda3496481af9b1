import { constants } from 'node:fs';
import { copyFile, link } from 'node:fs/promises';

/** How file systems refuse hard links: EPERM on exFAT, ENOTSUP on SMB shares, ENOSYS on many that run in user space. */
export const noLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** Gives a finished local file a second name, or copies it where the file system has no hard links. */
export async function linkOrCopy(file: string, path: string): Promise<void> {
  try {
    await link(file, path);
  } catch (error) {
    if (!noLinks.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await copyFile(file, path, constants.COPYFILE_EXCL);
  }
}
