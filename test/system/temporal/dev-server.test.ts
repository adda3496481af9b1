import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import type { TestContext } from 'vitest';
import { findTemporalCli } from '../../../src/temporal/dev-server/cli-binary.ts';
import { identify, stop } from '../../../src/temporal/dev-server/process.ts';
import { readRecord } from '../../../src/temporal/dev-server/record.ts';
import { defaultStateDir, useDevServer } from '../../../src/temporal/dev-server/dev-server.ts';

const report = () => undefined;

/** A place for a server of the test's own; whatever still runs there at the end is stopped. */
async function place({ onTestFinished }: TestContext) {
  const home = await mkdtemp(join(tmpdir(), 'incident-io-source-test-'));
  const env = { ...process.env, XDG_STATE_HOME: home, TMPDIR: home };
  const stateDir = defaultStateDir(env);
  onTestFinished(async () => {
    const temporary = (await readdir(home)).filter((name) => name.startsWith('incident-io-source-temporal-'));
    for (const dir of [stateDir, ...temporary.map((name) => join(home, name))]) {
      const { server } = await readRecord(dir);
      if (server !== null) await stop(server, 0);
    }
    await rm(home, { recursive: true, force: true });
  });
  return {
    home,
    env,
    stateDir,
    use: () => useDevServer({ stateDir, env, report }),
    startUser: async (kind: 'lasting' | 'temporary' = 'lasting') => {
      const user = await startUser(env, kind);
      onTestFinished(() => void user.child.kill('SIGKILL'));
      return user;
    },
  };
}

/** A process of its own that uses the server, in a process group of its own, as a terminal starts commands. */
async function startUser(env: NodeJS.ProcessEnv, kind: string) {
  const loader = join(import.meta.dirname, '../../helpers/run-typescript.mjs');
  const program = join(import.meta.dirname, '../../helpers/dev-server-user.ts');
  const child = spawn(process.execPath, ['--import', loader, program, kind], {
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const server = JSON.parse(line.toString()) as { pid: number; address: string };
  return {
    child,
    server,
    /** Ends when the process does, which it must do by itself. */
    release: async () => {
      child.stdin.write('\n');
      expect(await exited).toEqual([0, null]);
    },
    /** Sends the signal to the whole process group, as Ctrl-C does. */
    signal: async (signal: 'SIGKILL' | 'SIGINT') => {
      process.kill(-Number(child.pid), signal);
      await exited;
    },
  };
}

async function gone(pid: number): Promise<void> {
  await expect.poll(() => identify(pid)).toBeUndefined();
}

/** Written by another process: while this one has a file open for writing, a child forked meanwhile makes it "busy". */
async function script(file: string, ...lines: string[]): Promise<string> {
  const writer = spawn('sh', ['-c', 'cat > "$0" && chmod +x "$0"', file], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  writer.stdin.end(['#!/bin/sh', ...lines, ''].join('\n'));
  await once(writer, 'exit');
  return file;
}

describe.concurrent('the embedded Temporal server', () => {
  test.for(['SIGKILL', 'SIGINT'] as const)(
    'outlives a process that ends by %s, and the next one takes it over and stops it',
    async (signal, context) => {
      const { startUser, use } = await place(context);
      const killed = await startUser();
      await killed.signal(signal);

      const next = await use();
      expect(next.pid).toBe(killed.server.pid);
      expect(next.address).toBe(killed.server.address);
      await next.release();
      expect(await identify(next.pid)).toBeUndefined();
    },
  );

  test('stays up for the other process when one is done, and ends with the last', async (context) => {
    const { startUser } = await place(context);
    const first = await startUser();
    const second = await startUser();
    expect(second.server).toEqual(first.server);

    await first.release();
    expect(await identify(first.server.pid)).toBeDefined();
    await second.release();
    expect(await identify(first.server.pid)).toBeUndefined();
  });

  test('is one, when several processes start at once', async (context) => {
    const { startUser } = await place(context);
    const users = await Promise.all([startUser(), startUser(), startUser()]);
    const pids = new Set(users.map(({ server }) => server.pid));
    expect(pids.size).toBe(1);
    await Promise.all(users.map(({ release }) => release()));
    expect(await Promise.all([...pids].map(identify))).toEqual([undefined]);
  });

  test('is one, when several found none and each had to fetch the CLI first', async (context) => {
    const { home, env, stateDir } = await place(context);
    const cli = await findTemporalCli({ env, report });
    const install = ['while [ "$1" != --target ]; do shift; done', 'mkdir -p "$2/bin"'];
    await mkdir(join(home, 'bin'));
    await script(
      join(home, 'bin', 'python3'),
      'PATH=/usr/bin:/bin',
      ...install,
      `ln -s '${cli}' "$2/bin/temporal"`,
    );
    const closed = 'http://127.0.0.1:1';
    const fresh = { HOME: home, PATH: join(home, 'bin'), HTTPS_PROXY: closed, https_proxy: closed };
    const use = () => useDevServer({ stateDir, env: fresh, report });

    const users = await Promise.all([use(), use(), use()]);
    const pids = new Set(users.map(({ pid }) => pid));
    expect(pids.size).toBe(1);
    await Promise.all(users.map(({ release }) => release()));
    expect(await Promise.all([...pids].map(identify))).toEqual([undefined]);
  });

  test('that died is replaced on the same database and port, and stays for whoever used the dead one', async (context) => {
    const { use } = await place(context);
    const first = await use();
    const connection = await Connection.connect({ address: first.address });
    const client = new Client({ connection });
    await client.workflow.start('nothing', { workflowId: 'before', taskQueue: 'nobody' });
    process.kill(first.pid, 'SIGKILL');
    await gone(first.pid);

    const second = await use();
    expect(second.pid).not.toBe(first.pid);
    expect(second.address).toBe(first.address);
    await second.release();
    const described = await client.workflow.getHandle('before').describe();
    expect(described.status.name).toBe('RUNNING');
    await connection.close();
    await first.release();
    expect(await identify(second.pid)).toBeUndefined();
  });

  test('is not taken for another process that was given its pid', async (context) => {
    const { stateDir, use } = await place(context);
    const other = spawn('sleep', ['600']);
    context.onTestFinished(() => void other.kill());
    await once(other, 'spawn');
    await mkdir(stateDir);
    const reused = { pid: other.pid, startedAt: 'long ago' };
    const record = {
      port: null,
      server: { ...reused, port: 1, uiPort: null, binary: '' },
      users: [{ ...reused, use: 'earlier' }],
    };
    await writeFile(join(stateDir, 'temporal-server.json'), JSON.stringify(record));
    const started = await use();
    expect(started.pid).not.toBe(other.pid);
    await started.release();
    expect(await identify(started.pid)).toBeUndefined();
    expect(await identify(Number(other.pid))).toBeDefined();
  });

  test('is not started on a database that something else has open', async (context) => {
    const { stateDir, use } = await place(context);
    const unknown = await use();
    const identity = await identify(unknown.pid);
    await rm(join(stateDir, 'temporal-server.json'));
    await expect(use()).rejects.toThrow(`in use by process ${unknown.pid}`);
    if (identity !== undefined) await stop(identity, 0);
  });

  test('starts where a process was killed while it held the lock', async (context) => {
    const { stateDir, use } = await place(context);
    const lock = join(stateDir, 'temporal-server.lock');
    await mkdir(lock, { recursive: true });
    await utimes(lock, new Date(0), new Date(0));
    const server = await use();
    await server.release();
    expect(await readdir(stateDir)).not.toContain('temporal-server.lock');
  });

  test('never sees the variables that hold keys', async (context) => {
    const { home, env, stateDir } = await place(context);
    const cli = await findTemporalCli({ env, report });
    const wrapper = await script(join(home, 'cli'), `env > '${home}/environment'`, `exec '${cli}' "$@"`);
    const secrets = { INCIDENT_IO_API_KEY: 'inc-secret', ANOTHER_NAME: 'inc-secret' };
    const server = await useDevServer({
      stateDir,
      env: { ...env, ...secrets, TEMPORAL_CLI_PATH: wrapper },
      report,
    });
    await server.release();
    const environment = await readFile(join(home, 'environment'), 'utf8');
    expect(environment).toContain('PATH=');
    expect(environment).not.toContain('inc-secret');
  });

  test('that does not come up is an error with its own words', async (context) => {
    const { home, env, stateDir } = await place(context);
    const broken = await script(join(home, 'cli'), 'echo the disk is on fire >&2', 'exit 1');
    const use = useDevServer({ stateDir, env: { ...env, TEMPORAL_CLI_PATH: broken }, report });
    await expect(use).rejects.toThrow('the disk is on fire');
    const started = await useDevServer({ stateDir, env, report });
    await started.release();
  });

  test('keeps its noted port and does without the web UI where that port is taken', async (context) => {
    const { stateDir, use } = await place(context);
    const other = createServer().listen(0, '127.0.0.1');
    context.onTestFinished(() => void other.close());
    await once(other, 'listening');
    const port = (other.address() as AddressInfo).port - 1000;
    await mkdir(stateDir);
    await writeFile(
      join(stateDir, 'temporal-server.json'),
      JSON.stringify({ port, server: null, users: [] }),
    );
    const server = await use();
    expect(server.uiAddress).toBeUndefined();
    expect(server.address).toBe(`127.0.0.1:${port}`);
    await server.release();
  });

  test('shows its web UI', async (context) => {
    const { use } = await place(context);
    const server = await use();
    expect((await fetch(String(server.uiAddress))).status).toBe(200);
    await server.release();
  });

  test('a temporary one of a killed process is ended by the next, and leaves no file', async (context) => {
    const { home, startUser } = await place(context);
    const killed = await startUser('temporary');
    await killed.signal('SIGKILL');
    const next = await startUser('temporary');
    expect(next.server.pid).not.toBe(killed.server.pid);
    expect(await identify(killed.server.pid)).toBeUndefined();
    await next.release();
    expect(await identify(next.server.pid)).toBeUndefined();
    expect((await readdir(home)).filter((name) => name.startsWith('incident-io-source-temporal-'))).toEqual(
      [],
    );
  });

  test('a record that is none is refused, not overwritten', async (context) => {
    const { stateDir, use } = await place(context);
    await mkdir(stateDir);
    const file = join(stateDir, 'temporal-server.json');
    await writeFile(file, '{"port": "many"}');
    await expect(use()).rejects.toThrow(`${file} is not a record`);
    await access(file);
    await rm(file);
  });
});
