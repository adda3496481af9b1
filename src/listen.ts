import type { Server } from 'node:http';
import { UsageError } from './errors.ts';

export type HostAndPort = {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
};

/** The parts of `host:port`, with an IPv6 address in brackets; `undefined` if the text is something else. */
export function hostAndPort(text: string): HostAndPort | undefined {
  const { host, port } = /^(?<host>\[[^\]]+\]|[^:]+):(?<port>\d{1,5})$/.exec(text)?.groups ?? {};
  if (host === undefined || !(Number(port) < 65_536)) return undefined;
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

/** Listens there; rejects with the system's error if that is not possible. */
export function listenAt(server: Server, { host, port }: HostAndPort): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * Listens at `host:port`. Throws `UsageError` if that is not possible.
 * @param what is served there, for messages
 * @param advice an address that would do
 */
export async function serveAt(server: Server, address: string, what: string, advice: string): Promise<void> {
  const unusable = (why: string) => new UsageError(`Cannot ${what} at ${address}: ${why}.`, advice);
  const at = hostAndPort(address);
  if (!at) throw unusable('this is not a host and port');
  try {
    await listenAt(server, at);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw unusable(code ?? message);
  }
}
