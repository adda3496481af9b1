import { randomUUID } from 'node:crypto';
import { makeFolder } from '../../folders.ts';
import { TemporalUnavailableError } from '../../errors.ts';
import { findTemporalCli } from './cli-binary.ts';
import { inFolder, type OwnFolder } from './folders.ts';
import type { CliOptions } from './options.ts';
import { host } from './ports.ts';
import { identify, isAlive } from './process.ts';
import { type HeldRecord, living, type RunningServer, type ServerUser, withRecord } from './record.ts';
import { stopServer, whenReady } from './server.ts';
import { start } from './start.ts';

/** An embedded Temporal server that this process uses until it releases it. */
export type DevServer = {
  /** `host:port` of the gRPC frontend; the namespace is `default`. */
  readonly address: string;
  /** Address of the web UI; undefined if its port was taken. */
  readonly uiAddress: string | undefined;
  readonly pid: number;
  /** Starts the server again, on its port and database, if it has ended. One that is alive is left alone. */
  readonly revive: () => Promise<void>;
  /** Takes this use off the record and stops the server if no living process is left on it. */
  readonly release: () => Promise<void>;
};

export type DevServerOptions = CliOptions & {
  /** Holds database, record and log; created if missing. At most one server runs on it. */
  readonly stateDir: string;
  /** The variable that moves the folder elsewhere, for errors; `XDG_STATE_HOME` if left out. */
  readonly variable?: string;
};

/**
 * Uses the Temporal server that runs on the folder's database, or starts one. It outlives a process that dies
 * without releasing it; the next one takes it over.
 *
 * Throws `TemporalUnavailableError` if there is no CLI, something else uses the database, or the server does not start.
 */
export async function useDevServer(options: DevServerOptions): Promise<DevServer> {
  if (process.platform === 'win32') {
    throw new TemporalUnavailableError(
      'The embedded Temporal server runs on Linux and macOS only.',
      'Run `temporal server start-dev` and set TEMPORAL_ADDRESS=127.0.0.1:7233.',
    );
  }
  const { stateDir, variable = 'XDG_STATE_HOME', ...cli } = options;
  const folder = { path: stateDir, holds: 'the state of the embedded Temporal server', variable };
  const user = { ...(await ownIdentity()), use: randomUUID() };
  const server = await inFolder(folder, async () => {
    await makeFolder(stateDir, 0o700);
    // The CLI is needed, and perhaps fetched, only if no server is alive; and then without making others wait.
    const adopted = await withRecord(stateDir, (held) => adopt(held, user));
    return adopted ?? startOrAdopt(folder, cli, user);
  });

  let released: Promise<void> | undefined;
  return {
    address: `${host}:${server.port}`,
    uiAddress: server.uiPort === null ? undefined : `http://${host}:${server.uiPort}`,
    pid: server.pid,
    revive: async () => {
      // This process stays on the record with its first use.
      const again = await useDevServer(options);
      await again.release();
    },
    release: () => (released ??= inFolder(folder, () => release(stateDir, user))),
  };
}

async function ownIdentity() {
  const identity = await identify(process.pid);
  if (identity === undefined) throw new Error(`no process has this one's pid, ${process.pid}`);
  return identity;
}

/** Joins the users of the server on the record, if it is alive. */
async function adopt({ record, save }: HeldRecord, user: ServerUser): Promise<RunningServer | undefined> {
  const { server } = record;
  if (server === null || !(await isAlive(server))) return undefined;
  await whenReady(server);
  await save({ ...record, users: [...(await living(record.users)), user] });
  return server;
}

async function startOrAdopt(folder: OwnFolder, cli: CliOptions, user: ServerUser): Promise<RunningServer> {
  const binary = await findTemporalCli(cli);
  // Another process may have started a server while this one looked for the CLI.
  return withRecord(
    folder.path,
    async (held) => (await adopt(held, user)) ?? start(held, folder, { env: cli.env, binary }, user),
  );
}

async function release(stateDir: string, user: ServerUser): Promise<void> {
  await withRecord(stateDir, async ({ record, save }) => {
    const users = (await living(record.users)).filter(({ use }) => use !== user.use);
    if (users.length > 0 || record.server === null) return save({ ...record, users });
    await stopServer(record.server);
    return save({ ...record, server: null, users });
  });
}
