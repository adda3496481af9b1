import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TemporalUnavailableError } from '../../errors.ts';

/** The embedded server listens on this machine only. */
export const host = '127.0.0.1';

/** The port of the web UI, by the port of the gRPC frontend; Temporal's own convention. */
export function uiPortOf(port: number): number {
  return port + 1000;
}

/** Whether a program listens on the port. */
export async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host, port });
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}

/** Whether a server could listen on the port. */
export async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen({ host, port });
  return new Promise((resolve, reject) => {
    probe.once('listening', () => probe.close(() => resolve(true)));
    probe.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
  });
}

/** The port if it becomes free within two seconds: a thread of a killed server may hold it that long. */
export async function isFreeSoon(port: number): Promise<boolean> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    if (await isFree(port)) return true;
    await sleep(100);
  }
  return false;
}

/**
 * A free port whose web UI port is free as well. It lies below the range from which operating systems assign ports to
 * outgoing connections: one of those would often be taken by the time the server comes back.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = randomInt(10_000, 30_000);
    if ((await isFree(port)) && (await isFree(uiPortOf(port)))) return port;
  }
  throw new TemporalUnavailableError(`No port on ${host} is free.`, 'Stop programs that listen there.');
}
