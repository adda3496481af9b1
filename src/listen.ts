import type { Server } from 'node:http';
import { UsageError } from './errors.ts';

/**
 * Listens at `host:port`; an IPv6 host is in brackets. Throws `UsageError` if that is not possible.
 * @param what is served there, for messages
 * @param advice an address that would do
 */
export function listenAt(server: Server, address: string, what: string, advice: string): Promise<void> {
  const { host, port } = /^(?<host>\[[^\]]+\]|[^:]+):(?<port>\d+)$/.exec(address)?.groups ?? {};
  const unusable = (why: string) => new UsageError(`Cannot ${what} at ${address}: ${why}.`, advice);
  if (host === undefined || !(Number(port) < 65_536)) throw unusable('this is not a host and port');
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => reject(unusable(error.code ?? error.message));
    server.once('error', failed);
    server.listen(Number(port), host.replace(/^\[|\]$/g, ''), () => {
      server.off('error', failed);
      resolve();
    });
  });
}
