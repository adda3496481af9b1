import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client/lib/connection.js';
import { TemporalUnavailableError } from '../../errors.ts';
import { systemCodeOf } from '../../failure.ts';
import { childEnvironment } from './child-environment.ts';
import { type OwnFolder, refusedIn } from './folders.ts';
import { accepts, host } from './ports.ts';
import { identify, isAlive, type ProcessIdentity, stop } from './process.ts';
import type { RunningServer } from './record.ts';

const readyLimitMs = 30_000;
const gentleStopLimitMs = 10_000;
const shownCharacters = 300;

/** The files of a server in its state folder. */
export function serverFiles(stateDir: string) {
  return { database: join(stateDir, 'temporal.db'), log: join(stateDir, 'temporal-server.log') };
}

/**
 * Starts the server's process and returns before the server is ready. The process has a group of its own, so Ctrl-C
 * on the terminal does not reach it.
 *
 * @returns `undefined` if it ended at once.
 * Throws `TemporalUnavailableError` if the binary cannot be run.
 */
export async function spawnServer(
  folder: OwnFolder,
  env: NodeJS.ProcessEnv,
  server: Pick<RunningServer, 'port' | 'uiPort' | 'binary'>,
): Promise<RunningServer | undefined> {
  const { port, uiPort, binary } = server;
  const { database, log } = serverFiles(folder.path);
  const output = await open(log, 'w', 0o600);
  const where = ['--ip', host, '--port', String(port), '--db-filename', database, '--log-level', 'warn'];
  const ui = uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-disable-news-fetch'];
  const child = spawn(binary, ['server', 'start-dev', ...where, ...ui], {
    cwd: folder.path,
    env: serverEnvironment(env, folder.path),
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'EMFILE' || code === undefined) throw error;
    throw new TemporalUnavailableError(
      `The Temporal CLI ${binary} cannot be run: ${code}.`,
      'Set TEMPORAL_CLI_PATH to a Temporal CLI that runs on this machine.',
      { cause: error },
    );
  } finally {
    await output.close();
  }
  child.unref();
  const identity = await identify(Number(child.pid));
  return identity && { ...identity, ...server };
}

/** The server does not start without these two if the system does not know the user, as is usual in containers. */
function serverEnvironment(env: NodeJS.ProcessEnv, home: string): NodeJS.ProcessEnv {
  return { USER: String(process.getuid?.()), HOME: home, ...childEnvironment(env, 'local') };
}

/**
 * Returns once the server serves its namespace.
 *
 * Throws `TemporalUnavailableError` if it has ended, or does not answer in time.
 */
export async function whenReady(server: RunningServer): Promise<void> {
  const giveUpAt = Date.now() + readyLimitMs;
  const address = `${host}:${server.port}`;
  let reason: unknown;
  while (Date.now() < giveUpAt) {
    if (!(await isAlive(server))) {
      throw new TemporalUnavailableError(`The Temporal server ${server.pid} ended.`, 'Try again.');
    }
    // The gRPC client waits a second after a refused connection, so it only gets to see an open port.
    if (await accepts(server.port)) {
      try {
        await askForNamespace(address);
        return;
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

async function askForNamespace(address: string): Promise<void> {
  const connection = await Connection.connect({
    address,
    connectTimeout: '2s',
    // This client would use a proxy of the environment even for this machine.
    channelArgs: { 'grpc.enable_http_proxy': 0 },
  });
  try {
    await connection.workflowService.describeNamespace({ namespace: 'default' });
  } finally {
    await connection.close();
  }
}

/** Returns once the server has let go of its database. */
export async function stopServer(server: ProcessIdentity): Promise<void> {
  await stop(server, gentleStopLimitMs);
}

/** Says why a server did not start: from its own output if that names a cause people can mend. */
export async function notUp(folder: OwnFolder, reason: string, cause?: unknown): Promise<Error> {
  const { log } = serverFiles(folder.path);
  const output = (await readFile(log, 'utf8')).trim();
  const [, code] = systemWords.find(([words]) => words.test(output)) ?? [];
  if (code !== undefined) return refusedIn(folder, code, cause);
  // One line of it names every part of the server down to the one that failed.
  const end = output.split('\n').at(-1)!;
  const shown = end.length > shownCharacters ? `…${end.slice(-shownCharacters)}` : end;
  return new TemporalUnavailableError(
    `The embedded Temporal server did not start: ${reason}\n${shown}`,
    `Its whole output is in ${log}. If its database next to it is damaged, move it away; apply creates the schedules again.`,
    { cause },
  );
}

/** What the server, and SQLite in it, say when the operating system refuses something. */
const systemWords = [
  [/disk is full|no space left on device/i, 'ENOSPC'],
  [/too many open files/i, 'EMFILE'],
  [/read-only file system/i, 'EROFS'],
  [/permission denied|readonly database|unable to open database file/i, 'EACCES'],
] as const;
