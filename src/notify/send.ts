import axios from 'axios';
import pRetry from 'p-retry';
import { KeyMissingError, NotifyError, UsageError } from '../errors.ts';
import { isLoopback } from '../incident-io/base-url.ts';
import { keepSecret } from '../secrets.ts';
import { describeKey, type KeyReference, lookUp } from '../settings/key.ts';
import type { Message } from './message.ts';

const answerMs = 10_000;
/** About a minute in all; after that, the next check of the tables sends what is true then. */
const retries = { retries: 4, minTimeout: 2_000, factor: 3, maxTimeout: 30_000 };

/**
 * The address that messages are sent to. It is a secret, since anyone who knows it can send messages, and is hidden in
 * logs from now on. Throws `KeyMissingError` if there is none, `UsageError` for a text that is not such an address.
 */
export async function resolveAddress(reference: KeyReference): Promise<URL> {
  const where = describeKey(reference);
  const text = (await lookUp(reference, undefined, 'address for messages'))?.trim();
  if (!text) {
    throw new KeyMissingError(
      `The address for messages is missing: ${where} has none.`,
      'Put it there where the worker runs, or remove notify from the settings.',
    );
  }
  keepSecret(text);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url)))) {
    throw new UsageError(
      `The address for messages in ${where} cannot be used.`,
      'Use an https:// address; http:// is allowed for this machine only (127.0.0.1).',
    );
  }
  return url;
}

/** Sends a message, and tries again if the receiver does not accept it. Throws `NotifyError`. */
export async function sendMessage(url: URL, message: Message, signal: AbortSignal): Promise<void> {
  await pRetry(() => post(url, message, signal), {
    ...retries,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => error instanceof NotifyError && error.retry === 'later',
  });
}

async function post(url: URL, message: Message, signal: AbortSignal): Promise<void> {
  let status: number;
  try {
    ({ status } = await axios.post(url.href, message, {
      timeout: answerMs,
      maxRedirects: 0,
      maxContentLength: 2 ** 20,
      validateStatus: () => true,
      // A proxy cannot reach an address that only this machine has.
      ...(isLoopback(url) && { proxy: false }),
      signal,
    }));
  } catch (error) {
    const { code = 'no answer' } = error as { readonly code?: string };
    // Without the error itself, which carries the address.
    throw new NotifyError(`The receiver of messages does not answer (${code}).`, 'later');
  }
  if (status >= 200 && status < 300) return;
  const mayPass = status === 408 || status === 429 || status >= 500;
  throw new NotifyError(`The receiver of messages answers with ${status}.`, mayPass ? 'later' : 'never');
}
