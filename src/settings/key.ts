import { readFile } from 'node:fs/promises';
import { KeyMissingError, UsageError } from '../errors.ts';
import { keepSecret } from '../secrets.ts';

/** Where the API key is. The key itself never enters a workflow, the settings or a log. */
export type KeyReference = { readonly env: string } | { readonly file: string };

/** What the name of an environment variable looks like. */
export const variablePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A key in a vault of the platform that runs the worker, by its id there. */
export type VaultReference = { readonly vault: string };

/**
 * Looks up a key by its id in that vault; `undefined` if the vault has none. Called for every batch, so that a new
 * key takes effect at once: put a cache in front of a slow vault. Any error that it throws is retried.
 */
export type Vault = (id: string) => Promise<string | undefined>;

/** `variable INCIDENT_IO_API_KEY` or `file /etc/incident-io/key`: for messages. */
export function describeKey(reference: KeyReference | VaultReference): string {
  if ('vault' in reference) return `vault entry ${reference.vault}`;
  return 'env' in reference ? `variable ${reference.env}` : `file ${reference.file}`;
}

/**
 * The key behind a reference, read again each time, so that replacing the key is enough after a 401.
 * Throws `KeyMissingError` if there is none, `UsageError` for a text that cannot be a key.
 */
export async function resolveKey(reference: KeyReference | VaultReference, vault?: Vault): Promise<string> {
  return checkedKey(await lookUp(reference, vault, 'API key'), describeKey(reference), adviceFor(reference));
}

const makeOne = 'Create one in incident.io under Settings → API keys.';

/** What to do if a reference leads to no key. For a scheduled run, it is the worker that looks. */
function adviceFor(reference: KeyReference | VaultReference): string {
  if ('vault' in reference) return 'Put the key into the vault under that id.';
  return 'env' in reference
    ? `Set ${reference.env} where the command or the worker runs.`
    : 'Create that key file where the command or the worker runs, readable by its user.';
}

/**
 * A key as it is sent, hidden in logs from now on. Throws `KeyMissingError` if there is none, `UsageError` for a text
 * that cannot be a key.
 */
export function checkedKey(text: string | undefined, where: string, advice = makeOne): string {
  const key = text?.trim();
  if (!key) throw new KeyMissingError(`The API key is missing: ${where} has none.`, advice);
  // Anything else would fail inside the HTTP library, whose message quotes the header.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new UsageError(
      `The API key in ${where} contains spaces or other characters that no key has.`,
      'Copy the key again from incident.io under Settings → API keys.',
    );
  }
  keepSecret(key);
  return key;
}

/**
 * The value behind a reference; `undefined` if there is none. Throws `KeyMissingError` if it cannot be looked up.
 * @param what is looked up, for messages
 */
export function lookUp(
  reference: KeyReference | VaultReference,
  vault: Vault | undefined,
  what: string,
): Promise<string | undefined> {
  if ('vault' in reference) return openVault(reference, vault, what);
  return 'env' in reference ? Promise.resolve(process.env[reference.env]) : readKeyFile(reference.file);
}

async function openVault(
  reference: VaultReference,
  vault: Vault | undefined,
  what: string,
): Promise<string | undefined> {
  if (!vault) {
    throw new KeyMissingError(
      `The ${what} is in ${describeKey(reference)}, but this worker was started without a vault.`,
      'Pass the vault to createSourceWorker.',
    );
  }
  try {
    return await vault(reference.vault);
  } catch (error) {
    // A vault's own message may contain secrets, and messages are kept in Temporal's history.
    const what = error instanceof Error ? error.name : 'an error';
    throw new KeyMissingError(
      `The ${what} cannot be looked up: ${describeKey(reference)} failed with ${what}.`,
      'Check that the worker can reach the vault, and look at the logs of the vault.',
      { cause: error },
    );
  }
}

async function readKeyFile(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new KeyMissingError(
      `The key file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
      adviceFor({ file }),
    );
  }
}
