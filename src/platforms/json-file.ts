import { readFile } from 'node:fs/promises';
import { UsageError } from '../errors.ts';

/**
 * The JSON in a file that a platform names.
 * @param what the file is, for messages: `config`
 *
 * Throws `UsageError` if it is not named, cannot be read or is not JSON. Nothing of its content is quoted: it may be
 * the key.
 */
export async function jsonFile(what: string, file: string | undefined): Promise<unknown> {
  if (file === undefined) {
    throw new UsageError(`--${what} is missing.`, `Name the file with the ${what}: --${what} FILE.`);
  }
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`The ${what} ${file} cannot be read (${code}).`, 'Check the path and its rights.');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`The ${what} ${file} is not JSON.`, 'Give the file that the platform writes.');
  }
}
