import { spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { createServer, connect } from 'node:net';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { makeFolder } from '../../folders.ts';
import { TemporalUnavailableError } from '../../errors.ts';
import { childEnvironment } from './child-environment.ts';
import { findTemporalCli } from './cli-binary.ts';
import type { CliOptions } from './cli-binary.ts';
import { holdersOf, identify, isAlive, stop } from './process.ts';
import { withRecord } from './record.ts';
import type { HeldRecord, RunningServer, ServerUser } from './record.ts';

const host = '127.0.0.1';
const readyLimitMs = 30_000;
const gentleStopLimitMs = 10_000;

/** An embedded Temporal server that this process is a user of, until it releases it. */
export type DevServer = {
  /** `host:port` of the gRPC frontend; the namespace is `default`. */
  readonly address: string;
  /** Of the web UI; undefined where its port was taken. */
  readonly uiAddress: string | undefined;
  readonly pid: number;
  /** Takes this use off the record and, if no living process is left on it, stops the server. */
  readonly release: () => Promise<void>;
};

export type DevServerOptions = CliOptions & {
  /** Holds database, record and log; created if missing. One server at most runs on it. */
  readonly stateDir: string;
};

/** Where the embedded server keeps its database: `$XDG_STATE_HOME`, or `~/.local/state`. */
export function defaultStateDir(env: NodeJS.ProcessEnv): string {
  const stateHome = env['XDG_STATE_HOME'] || join(env['HOME'] || homedir(), '.local', 'state');
  return resolve(stateHome, 'incident-io-source');
}

/**
 * Uses the Temporal server that runs on the folder's database, or starts one. It is in a process group of its
 * own: Ctrl-C does not reach it, and it outlives a process that dies without releasing it, for the next one.
 *
 * @throws {TemporalUnavailableError} No CLI, a database in use by something else, or a server that does not come up.
 */
export async function useDevServer({ stateDir, env, report }: DevServerOptions): Promise<DevServer> {
  if (process.platform === 'win32') {
    throw new TemporalUnavailableError(
      'The embedded Temporal server runs on Linux and macOS only.',
      'Run `temporal server start-dev` and set TEMPORAL_ADDRESS=127.0.0.1:7233.',
    );
  }
  await makeFolder(stateDir, 0o700);
  const user = { ...(await ownIdentity()), use: randomUUID() };

  // The CLI is needed, and perhaps fetched, only where no server lives; and then without making others wait.
  const server =
    (await withRecord(stateDir, (held) => adopt(held, user))) ??
    (await startOrAdopt({ stateDir, env, report }, user));

  let released: Promise<void> | undefined;
  return {
    address: `${host}:${server.port}`,
    uiAddress: server.uiPort === null ? undefined : `http://${host}:${server.uiPort}`,
    pid: server.pid,
    release: () => (released ??= release(stateDir, user)),
  };
}

async function ownIdentity() {
  const identity = await identify(process.pid);
  if (identity === undefined) throw new Error(`no process has the pid ${process.pid} of this one`);
  return identity;
}

/** Joins the users of the server on the record, if it lives. */
async function adopt({ record, save }: HeldRecord, user: ServerUser): Promise<RunningServer | undefined> {
  const { server } = record;
  if (server === null || !(await isAlive(server))) return undefined;
  await whenReady(server);
  await save({ ...record, users: [...(await living(record.users)), user] });
  return server;
}

async function startOrAdopt(options: DevServerOptions, user: ServerUser): Promise<RunningServer> {
  const binary = await findTemporalCli(options);
  // Another process may have started one while the CLI was looked for.
  return withRecord(
    options.stateDir,
    async (held) => (await adopt(held, user)) ?? (await start(held, binary, options, user)),
  );
}

async function start(
  { record, save }: HeldRecord,
  binary: string,
  { stateDir, env }: DevServerOptions,
  user: ServerUser,
): Promise<RunningServer> {
  const database = join(stateDir, 'temporal.db');
  const holders = await holdersOf(database);
  if (holders.length > 0) {
    throw new TemporalUnavailableError(
      `${database} is in use by process ${holders.join(', ')}, which is not on the record beside it.`,
      'End that process, or set TEMPORAL_ADDRESS if it is a Temporal server to be used.',
    );
  }

  const port = record.port !== null && (await isFreeSoon(record.port)) ? record.port : await freePort();
  const uiPort = (await isFree(port + 1000)) ? port + 1000 : null;
  const logFile = join(stateDir, 'temporal-server.log');
  const log = await open(logFile, 'w', 0o600);
  const where = ['--ip', host, '--port', String(port), '--db-filename', database, '--log-level', 'warn'];
  const ui = uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-disable-news-fetch'];
  const child = spawn(binary, ['server', 'start-dev', ...where, ...ui], {
    cwd: stateDir,
    env: childEnvironment(env, 'local'),
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  try {
    await once(child, 'spawn');
  } finally {
    await log.close();
  }
  child.unref();

  const identity = await identify(Number(child.pid));
  if (identity === undefined) throw await notUp('ended at once', logFile);
  const server = { ...identity, port, uiPort, binary };
  // Users that outlived the last server find this one on the same port, and need it as much as this process.
  const others = await living(record.users);
  try {
    // Before it is ready: if this process is killed now, the next one finds the server on the record.
    await save({ port, server, users: [...others, user] });
    await whenReady(server);
  } catch (error) {
    await stopServer(server);
    await save({ port, server: null, users: others });
    throw await notUp(error instanceof Error ? error.message : String(error), logFile, error);
  }
  return server;
}

async function release(stateDir: string, user: ServerUser): Promise<void> {
  await withRecord(stateDir, async ({ record, save }) => {
    const users = (await living(record.users)).filter(({ use }) => use !== user.use);
    if (users.length > 0 || record.server === null) return save({ ...record, users });
    await stopServer(record.server);
    return save({ ...record, server: null, users });
  });
}

/** @returns when it has let go of its database. */
export async function stopServer(server: RunningServer): Promise<void> {
  await stop(server, gentleStopLimitMs);
}

export async function living(users: readonly ServerUser[]): Promise<ServerUser[]> {
  const alive = await Promise.all(users.map(isAlive));
  return users.filter((_, index) => alive[index]);
}

/** Returns when the server serves its namespace. */
async function whenReady(server: RunningServer): Promise<void> {
  const giveUpAt = Date.now() + readyLimitMs;
  const address = `${host}:${server.port}`;
  let reason: unknown;
  while (Date.now() < giveUpAt) {
    if (!(await isAlive(server))) {
      throw new TemporalUnavailableError(`The Temporal server ${server.pid} ended.`, 'Try again.');
    }
    // The gRPC client waits a second after a refused connection, so it is not let near a closed port.
    if (await accepts(server.port)) {
      try {
        const connection = await Connection.connect({ address, connectTimeout: '2s' });
        try {
          await connection.workflowService.describeNamespace({ namespace: 'default' });
          return;
        } finally {
          await connection.close();
        }
      } catch (error) {
        reason = error;
      }
    }
    await sleep(20);
  }
  throw new TemporalUnavailableError(
    `The Temporal server ${server.pid} does not answer on ${address}.`,
    `End process ${server.pid} and try again.`,
    { cause: reason },
  );
}

async function notUp(what: string, logFile: string, cause?: unknown): Promise<TemporalUnavailableError> {
  const tail = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-5).join('\n');
  return new TemporalUnavailableError(
    `The embedded Temporal server did not come up: ${what}\n${tail}`,
    `Its whole output is in ${logFile}.`,
    { cause },
  );
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host, port });
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}

/** A thread of a server that was killed may hold its port for a moment longer than the process is seen. */
async function isFreeSoon(port: number): Promise<boolean> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    if (await isFree(port)) return true;
    await sleep(100);
  }
  return false;
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen({ host, port });
  return new Promise((resolve, reject) => {
    probe.once('listening', () => probe.close(() => resolve(true)));
    probe.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
  });
}

/**
 * A free port with that of the web UI, 1000 above, free as well. Below the range that operating systems hand out
 * for outgoing connections: from there somebody would have taken it when the server comes back.
 */
async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = randomInt(10_000, 30_000);
    if ((await isFree(port)) && (await isFree(port + 1000))) return port;
  }
  throw new TemporalUnavailableError(`No port on ${host} is free.`, 'End programs that listen there.');
}
