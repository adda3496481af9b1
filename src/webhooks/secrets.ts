import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { KeyMissingError, UsageError } from '../errors.ts';
import { keepSecret } from '../secrets.ts';
import { describeKey, type KeyReference, lookUp } from '../settings/key.ts';

/** A connection has one secret, or two while one replaces the other. */
export const mostSecrets = 2;

const makeOne = 'Copy the signing secret of the endpoint from incident.io under Settings → Webhooks.';

/**
 * Returns one checker of signatures for each signing secret of a connection: one or, during a replacement, two, with
 * white space between them. From now on the secrets are hidden in logs. Throws `KeyMissingError` if there is none,
 * `UsageError` for a text that is not a signing secret.
 */
export async function resolveSecrets(reference: KeyReference): Promise<readonly Webhook[]> {
  const where = describeKey(reference);
  const texts = ((await lookUp(reference, undefined, 'signing secret')) ?? '').split(/\s+/).filter(Boolean);
  if (texts.length === 0)
    throw new KeyMissingError(`The signing secret is missing: ${where} has none.`, makeOne);
  if (texts.length > mostSecrets) {
    throw new UsageError(
      `There are ${texts.length} texts in ${where}, but at most ${mostSecrets} signing secrets.`,
      'Keep the secret in use and the one that replaces it, with a space or a line break between them.',
    );
  }
  return texts.map((text) => {
    keepSecret(text);
    return webhookOf(text, where);
  });
}

function webhookOf(text: string, where: string): Webhook {
  // The library would accept text that is not base64, or fail with a message of its own.
  if (!/^whsec_[A-Za-z0-9+/]{16,}={0,2}$/.test(text)) {
    throw new UsageError(`The text in ${where} is not a signing secret, which begins with whsec_.`, makeOne);
  }
  return new Webhook(text);
}

/** A checker with a random secret, so that a connection without a secret takes as long to check. */
export function decoy(): Webhook {
  return new Webhook(randomBytes(24).toString('base64'));
}
