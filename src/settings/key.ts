import { readFile } from 'node:fs/promises';
import { KeyMissingError, UsageError } from '../errors.ts';
import { keepSecret } from '../secrets.ts';

/** Where the API key is; the key itself never enters a workflow, a file of ours or a log. */
export type KeyReference = { readonly env: string } | { readonly file: string };

/** What the name of an environment variable looks like. */
export const variablePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A key that the platform which runs the worker keeps in a vault of its own, by the id it has there. */
export type VaultReference = { readonly vault: string };

/**
 * Looks a key up by its id in that vault; `undefined` where the vault holds none. Called for every batch, so that
 * mending the key takes effect at once: a slow vault wants a cache in front of it. What it throws is retried.
 */
export type Vault = (id: string) => Promise<string | undefined>;

/** `variable INCIDENT_IO_API_KEY` or `file /etc/incident-io/key`: for messages. */
export function describeKey(reference: KeyReference | VaultReference): string {
  if ('vault' in reference) return `vault entry ${reference.vault}`;
  return 'env' in reference ? `variable ${reference.env}` : `file ${reference.file}`;
}

/**
 * The key a reference stands for, read anew each time: mending it is all it takes after a 401.
 * Throws `KeyMissingError` where there is none, `UsageError` for a text that cannot be a key.
 */
export async function resolveKey(reference: KeyReference | VaultReference, vault?: Vault): Promise<string> {
  return checkedKey(await lookUp(reference, vault), describeKey(reference), adviceFor(reference));
}

const makeOne = 'Create one in incident.io under Settings → API keys.';

/** What to do where a reference leads to no key; the process that looks is the worker of a scheduled run. */
function adviceFor(reference: KeyReference | VaultReference): string {
  if ('vault' in reference) return 'Put the key into the vault, under that id.';
  return 'env' in reference
    ? `Set ${reference.env} where the command or the worker runs.`
    : 'Create that key file where the command or the worker runs, readable by its user.';
}

/** A key as it is sent, which from now on no log line shows. Throws `KeyMissingError` where there is none, `UsageError` for a text that cannot be one. */
export function checkedKey(text: string | undefined, where: string, advice = makeOne): string {
  const key = text?.trim();
  if (!key) throw new KeyMissingError(`The API key is missing: ${where} holds none.`, advice);
  // Anything else would fail inside the HTTP library, whose message quotes the header's value.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new UsageError(
      `The API key in ${where} holds spaces or characters no key has.`,
      'Copy the key again from incident.io under Settings → API keys.',
    );
  }
  keepSecret(key);
  return key;
}

function lookUp(reference: KeyReference | VaultReference, vault?: Vault): Promise<string | undefined> {
  if ('vault' in reference) return openVault(reference, vault);
  return 'env' in reference ? Promise.resolve(process.env[reference.env]) : readKeyFile(reference.file);
}

async function openVault(reference: VaultReference, vault?: Vault): Promise<string | undefined> {
  if (!vault) {
    throw new KeyMissingError(
      `This worker has no vault to look up ${describeKey(reference)} in.`,
      'Give createSourceWorker the vault that keys are looked up in.',
    );
  }
  try {
    return await vault(reference.vault);
  } catch (error) {
    // What a vault says may hold its own secrets, and messages are kept in Temporal's history.
    const what = error instanceof Error ? error.name : 'an error';
    throw new KeyMissingError(
      `The API key cannot be looked up: ${describeKey(reference)} gave ${what}.`,
      'Check that the vault can be reached from the worker, and what it logs.',
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
