import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { KeyMissingError, UsageError } from '../errors.ts';
import { keepSecret } from '../secrets.ts';
import { describeKey, type KeyReference, lookUp } from '../settings/key.ts';

/** The most secrets of a connection: the one in use, and another one while it is replaced. */
export const mostSecrets = 2;

const makeOne = 'Copy the signing secret of the endpoint from incident.io under Settings → Webhooks.';

/**
 * Checks signatures with each of a connection's signing secrets; no log line shows these from now on. There is one or,
 * while it is replaced, two, with white space between them. Throws `KeyMissingError` if there is none, `UsageError` for
 * a text that is not a signing secret.
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
  // The library decodes what is not base64 into something, or fails with a message of its own.
  if (!/^whsec_[A-Za-z0-9+/]{16,}={0,2}$/.test(text)) {
    throw new UsageError(`The text in ${where} is not a signing secret, which begins with whsec_.`, makeOne);
  }
  return new Webhook(text);
}

/** Checks signatures with a secret that nobody has, so that the work is the same where there is no secret. */
export function decoy(): Webhook {
  return new Webhook(randomBytes(24).toString('base64'));
}
