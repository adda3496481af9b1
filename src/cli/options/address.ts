import { InvalidArgumentError } from 'commander';
import { hostAndPort } from '../../listen.ts';

/** Checks that a text is a host and port, before anything is started. Throws `InvalidArgumentError` if it is not. */
export function addressOf(text: string): string {
  if (hostAndPort(text)) return text;
  throw new InvalidArgumentError(
    'Give a host and a port, such as 127.0.0.1:8090; an IPv6 address in brackets.',
  );
}
