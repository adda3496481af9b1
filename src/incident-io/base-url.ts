import { UsageError } from '../errors.ts';

export const defaultBaseUrl = 'https://api.incident.io';

/**
 * The base URL in the form that requests use. Plain http would show the key to everyone on the way, so it is only
 * allowed for this machine. Throws `UsageError`.
 */
export function checkedBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url)))) {
    throw new UsageError(
      `The base URL ${JSON.stringify(text)} cannot be used.`,
      `Use an https:// address such as ${defaultBaseUrl}; http:// is allowed for this machine only (127.0.0.1).`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      'The base URL contains a user name or a password.',
      'Remove them; the API key is sent in a header.',
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new UsageError(
      `The base URL ${JSON.stringify(text)} has a query or a fragment.`,
      `Use the address alone, such as ${defaultBaseUrl}.`,
    );
  }
  return url.href.replace(/\/$/, '');
}

/** Whether the address is a loopback address. */
export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
