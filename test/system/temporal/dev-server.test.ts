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
import { useDevServer } from '../../../src/temporal/dev-server/dev-server.ts';
import { defaultStateDir } from '../../../src/temporal/dev-server/folders.ts';

const report = () => undefined;

/** A place for a server of the test's own. Whatever still runs there at the end is stopped. */
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

/** A separate process that uses the server, in its own process group, as a terminal starts commands. */
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
    /** Resolves when the process has ended, which it must do by itself. */
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

/** Written by another process: if this one wrote it, a child forked meanwhile would keep the file "busy". */
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
    'outlives a process that ends by %s; the next process takes it over and stops it',
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

  test('stays up for the other process when one is done, and ends with the last one', async (context) => {
    const { startUser } = await place(context);
    const first = await startUser();
    const second = await startUser();
    expect(second.server).toEqual(first.server);

    await first.release();
    expect(await identify(first.server.pid)).toBeDefined();
    await second.release();
    expect(await identify(first.server.pid)).toBeUndefined();
  });

  test('is started once if several processes start at the same time', async (context) => {
    const { startUser } = await place(context);
    const users = await Promise.all([startUser(), startUser(), startUser()]);
    const pids = new Set(users.map(({ server }) => server.pid));
    expect(pids.size).toBe(1);
    await Promise.all(users.map(({ release }) => release()));
    expect(await Promise.all([...pids].map(identify))).toEqual([undefined]);
  });

  test('is started once if several processes find none and each has to fetch the CLI first', async (context) => {
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

  test('that died is replaced on the same database and port, and stays up for users of the dead one', async (context) => {
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

  test('is not confused with another process that was given its pid', async (context) => {
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

  test('is not started on a database that another process has open', async (context) => {
    const { stateDir, use } = await place(context);
    const unknown = await use();
    const identity = await identify(unknown.pid);
    await rm(join(stateDir, 'temporal-server.json'));
    await expect(use()).rejects.toMatchObject({
      name: 'TemporalUnavailableError',
      message: expect.stringContaining(`process ${unknown.pid}`) as string,
    });
    if (identity !== undefined) await stop(identity, 0);
  });

  test('starts although a process was killed while it held the lock', async (context) => {
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

  test('is given a user and a home, without which it does not start in many containers', async (context) => {
    const { home, env, stateDir } = await place(context);
    const cli = await findTemporalCli({ env, report });
    const wrapper = await script(join(home, 'cli'), `env > '${home}/environment'`, `exec '${cli}' "$@"`);
    const bare = { PATH: process.env['PATH'], TEMPORAL_CLI_PATH: wrapper };
    const server = await useDevServer({ stateDir, env: bare, report });
    await server.release();
    const environment = await readFile(join(home, 'environment'), 'utf8');
    expect(environment).toMatch(/^USER=./m);
    expect(environment).toMatch(new RegExp(`^HOME=${stateDir}$`, 'm'));
  });

  test('that does not start is an error with its own output, and leaves no half-made database', async (context) => {
    const { home, env, stateDir } = await place(context);
    const broken = await script(
      join(home, 'cli'),
      'while [ "$1" != --db-filename ]; do shift; done',
      'echo half of a schema > "$2"',
      'echo the disk is on fire >&2',
      'exit 1',
    );
    const use = useDevServer({ stateDir, env: { ...env, TEMPORAL_CLI_PATH: broken }, report });
    await expect(use).rejects.toThrow('the disk is on fire');
    const started = await useDevServer({ stateDir, env, report });
    await started.release();
  });

  test.for([
    ['database or disk is full (13)', 'the disk is full', 'XDG_STATE_HOME'],
    ['accept4: too many open files', 'open files', 'ulimit -n'],
    ['attempt to write a readonly database (8)', 'may not write', 'XDG_STATE_HOME'],
  ] as const)(
    'that ends with "%s" is an error that names the folder and what to do',
    async (row, context) => {
      const [output, reason, advice] = row;
      const { home, env, stateDir } = await place(context);
      const broken = await script(join(home, 'cli'), `echo 'Error: ${output}' >&2`, 'exit 1');
      const use = useDevServer({ stateDir, env: { ...env, TEMPORAL_CLI_PATH: broken }, report });
      await expect(use).rejects.toMatchObject({
        name: 'TemporalUnavailableError',
        message: expect.stringMatching(new RegExp(`${stateDir}.*${reason}`)) as string,
        advice: expect.stringContaining(advice) as string,
      });
    },
  );

  test('whose CLI cannot be run, as one for another C library, is an error that names it', async (context) => {
    const { home, env, stateDir } = await place(context);
    const foreign = join(home, 'cli');
    await writeFile(foreign, '#!/nonexistent/loader\n', { mode: 0o755 });
    const use = useDevServer({ stateDir, env: { ...env, TEMPORAL_CLI_PATH: foreign }, report });
    await expect(use).rejects.toMatchObject({
      name: 'TemporalUnavailableError',
      message: expect.stringContaining(foreign) as string,
      advice: expect.stringContaining('TEMPORAL_CLI_PATH') as string,
    });
  });

  test('without a folder it can write to is an error that names the folder and the variable', async (context) => {
    const { home, env } = await place(context);
    const file = join(home, 'file');
    await writeFile(file, '');
    const stateDir = defaultStateDir({ ...env, XDG_STATE_HOME: file });
    await expect(useDevServer({ stateDir, env, report })).rejects.toMatchObject({
      name: 'TemporalUnavailableError',
      message: expect.stringContaining(stateDir) as string,
      advice: expect.stringContaining('XDG_STATE_HOME') as string,
    });
  });

  test('keeps its recorded port, and runs without the web UI if that port is taken', async (context) => {
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

  test('serves its web UI', async (context) => {
    const { use } = await place(context);
    const server = await use();
    expect((await fetch(String(server.uiAddress))).status).toBe(200);
    await server.release();
  });

  test('if temporary and its process was killed, is stopped by the next one and leaves no file', async (context) => {
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

  test('refuses a record it cannot read instead of overwriting it', async (context) => {
    const { stateDir, use } = await place(context);
    await mkdir(stateDir);
    const file = join(stateDir, 'temporal-server.json');
    await writeFile(file, '{"port": "many"}');
    await expect(use()).rejects.toMatchObject({
      name: 'TemporalUnavailableError',
      message: expect.stringContaining(file) as string,
    });
    await access(file);
    await rm(file);
  });
});
