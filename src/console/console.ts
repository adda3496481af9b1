import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { UsageError } from '../errors.ts';
import { type HostAndPort, listenAt } from '../listen.ts';
import { createHandlers } from './handlers.ts';
import { type Access, createAccess } from './server/access.ts';
import { createApp } from './server/app.ts';
import { defaultAddress, listenAddress, proxyOrigin } from './server/listen.ts';
import { pageFolder } from './server/page-files.ts';
import type { ConsoleWorld } from './world.ts';

/** Where the console is reached. */
export type ConsoleAddress = {
  /** Host and port; if left out, `defaultAddress`, or any free port of 127.0.0.1 if that one is in use. */
  readonly listen?: string;
  /** The address of a proxy with TLS in front of it. */
  readonly behindProxy?: string;
};

export type RunningConsole = {
  /** The address to open, with the token. */
  readonly url: string;
  readonly port: number;
  readonly access: Access;
  /** Ends all streams and stops listening. */
  readonly close: () => Promise<void>;
};

/** Serves the console until it is closed. Throws `UsageError` if it cannot or must not listen there. */
export async function startConsole(
  world: ConsoleWorld,
  { listen, behindProxy }: ConsoleAddress = {},
  page = pageFolder(),
): Promise<RunningConsole> {
  const publicOrigin = behindProxy === undefined ? undefined : proxyOrigin(behindProxy);
  const at = listenAddress(listen ?? defaultAddress, publicOrigin);
  const closing = new AbortController();
  const signal = AbortSignal.any([world.signal, closing.signal]);
  // The app needs the port for its cookie, and the port is only known once the server listens.
  let app: ReturnType<typeof createApp> | undefined;
  const server = createAdaptorServer({ fetch: (request) => app!.fetch(request) }) as Server;
  await listenAtOrElse(server, at, listen === undefined);
  const { port } = server.address() as { readonly port: number };
  const access = createAccess(port);
  app = createApp(createHandlers({ ...world, signal }), {
    access,
    publicOrigin,
    page,
    log: world.log,
    signal,
  });
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  return {
    url: `${publicOrigin ?? `http://${host}:${port}`}/?token=${access.token}`,
    port,
    access,
    close: async () => {
      closing.abort();
      const closed = new Promise((resolve) => void server.close(resolve));
      // Browsers keep their connections open, which would keep the server from closing.
      server.closeAllConnections();
      await closed;
    },
  };
}

/** @param orAny whether to use any free port of the host if this one is in use */
async function listenAtOrElse(server: Server, { host, port }: HostAndPort, orAny: boolean): Promise<void> {
  try {
    await listenAt(server, { host, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' && orAny) return listenAtOrElse(server, { host, port: 0 }, false);
    throw new UsageError(
      `The console cannot listen at ${host}:${port}: ${code ?? message}.`,
      'Choose a free port of this machine with --listen, or 127.0.0.1:0 for any.',
    );
  }
}
