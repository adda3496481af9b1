import { isIP } from 'node:net';
import { UsageError } from '../../errors.ts';
import { type HostAndPort, hostAndPort } from '../../listen.ts';

/** Where the console listens unless told otherwise. */
export const defaultAddress = '127.0.0.1:4680';

/**
 * The address to listen at. Throws `UsageError` if it is not valid, or if other machines could reach it, since plain
 * HTTP can be read on the way.
 */
export function listenAddress(text: string, publicOrigin: string | undefined): HostAndPort {
  const address = hostAndPort(text);
  if (!address) {
    throw new UsageError(
      `Cannot listen at ${JSON.stringify(text)}: this is not a host and port.`,
      `Use an address such as ${defaultAddress}, or 127.0.0.1:0 for any free port.`,
    );
  }
  const { host } = address;
  const isLoopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  if (!isLoopback && publicOrigin === undefined) {
    throw new UsageError(
      `The console does not listen at ${text}: others could reach it, and it speaks plain HTTP.`,
      'Listen on loopback and use a tunnel (ssh -L), or put a proxy with TLS in front of it and name its address: ' +
        '--behind-proxy https://console.example.com',
    );
  }
  return address;
}

/** The origin of the proxy in front, as browsers send it. Throws `UsageError` unless it is https. */
export function proxyOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && url.pathname === '/' && url.search === '' && url.username === '') {
    return url.origin;
  }
  throw new UsageError(
    `${JSON.stringify(text)} is not the address of a proxy with TLS.`,
    'Give --behind-proxy the address that people open, such as https://console.example.com, without a path.',
  );
}
