import { KeyMissingError, UsageError } from '../errors.ts';
import { keepSecret } from '../secrets.ts';
import { describeKey, type KeyReference, lookUp, type Vault, type VaultReference } from './key.ts';

/** Names and addresses can be guessed. If the key is short, it can be guessed as well, and then every value. */
const leastLength = 32;

/**
 * The key with which personal data is hashed, read again each time; no log line shows it from now on.
 * Throws `KeyMissingError` if there is none, `UsageError` for one that is too short.
 */
export async function resolveHashKey(
  reference: KeyReference | VaultReference,
  vault?: Vault,
): Promise<string> {
  const key = (await lookUp(reference, vault, 'hash key'))?.trim();
  const where = describeKey(reference);
  if (!key) {
    throw new KeyMissingError(
      `The hash key is missing: ${where} has none.`,
      'Put one there where the worker runs, such as the output of openssl rand -hex 32, and keep it: with another key every hash changes.',
    );
  }
  if (key.length < leastLength) {
    throw new UsageError(
      `The hash key in ${where} has fewer than ${leastLength} characters.`,
      'Use a longer one, such as the output of openssl rand -hex 32.',
    );
  }
  keepSecret(key);
  return key;
}
