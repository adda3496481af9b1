import { readFile } from 'node:fs/promises';
import { KeyMissingError, UsageError } from './errors.ts';

/** Where the API key is; the key itself never enters a workflow, a file of ours or a log. */
export type KeyReference = { readonly env: string } | { readonly file: string };

/** `variable INCIDENT_IO_API_KEY` or `file /etc/incident-io/key`: for messages. */
export function describeKey(reference: KeyReference): string {
  return 'env' in reference ? `variable ${reference.env}` : `file ${reference.file}`;
}

/**
 * The key a reference stands for, read anew each time: mending it is all it takes after a 401.
 * Throws `KeyMissingError` where there is none, `UsageError` for a text that cannot be a key.
 */
export async function resolveKey(reference: KeyReference): Promise<string> {
  const key = ('env' in reference ? process.env[reference.env] : await readKeyFile(reference.file))?.trim();
  if (!key) throw new KeyMissingError(`The API key is missing: ${describeKey(reference)} holds none.`);
  // Anything else would fail inside the HTTP library, whose message quotes the header's value.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new UsageError(
      `The API key in ${describeKey(reference)} holds spaces or characters no key has.`,
      'Copy the key again from incident.io under Settings → API keys.',
    );
  }
  return key;
}

async function readKeyFile(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new KeyMissingError(
      `The key file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
}
