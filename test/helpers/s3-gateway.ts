import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { lock } from 'proper-lockfile';

const project = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(project, '.go');

/** Whether the gateway can be built on this machine. */
export function hasGo(): boolean {
  return spawnSync('go', ['version']).status === 0;
}

/** Builds an S3-compatible server that keeps its objects as files, unless it is built: it takes a minute or two. */
export function ensureGateway(signal?: AbortSignal): Promise<string> {
  return ensureProgram('github.com/versity/versitygw/cmd/versitygw', 'v1.8.0', signal);
}

/** Builds a program in Go, unless it is built; the path of its binary. */
export async function ensureProgram(source: string, version: string, signal?: AbortSignal): Promise<string> {
  const name = basename(source);
  const binary = join(folder, `${name}-${version}`);
  if (await exists(binary)) return binary;
  const release = await lock(project, {
    lockfilePath: join(project, 'node_modules', '.s3-gateway.lock'),
    stale: 60_000,
    retries: { retries: 3_000, minTimeout: 200, maxTimeout: 200 },
  });
  try {
    if (await exists(binary)) return binary;
    const built = await mkdtemp(join(tmpdir(), 'incident-io-source-go-'));
    try {
      const env = { ...process.env, GOBIN: built };
      await promisify(execFile)('go', ['install', `${source}@${version}`], {
        env,
        ...(signal && { signal }),
      });
      await mkdir(folder, { recursive: true });
      // Copied first, because the temporary folder may be on another file system, then renamed in one step.
      await promisify(execFile)('cp', [join(built, name), `${binary}.part`]);
      await rename(`${binary}.part`, binary);
    } finally {
      await rm(built, { recursive: true, force: true });
    }
  } finally {
    await release();
  }
  return binary;
}

export type Gateway = {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Each folder in it is a bucket. */
  readonly root: string;
  /** A folder for files on their way to a bucket. */
  readonly scratch: string;
  stop(): Promise<void>;
};

/** The credentials that every gateway accepts. */
export const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'testsecret' };

export async function startGateway(): Promise<Gateway> {
  const program = await ensureGateway();
  const place = await mkdtemp(join(tmpdir(), 'incident-io-source-s3-'));
  const root = join(place, 'root');
  const sidecar = join(place, 'sidecar');
  const scratch = join(place, 'scratch');
  for (const path of [root, sidecar, scratch]) await mkdir(path);
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(program, ['--port', address, '--quiet', 'posix', '--sidecar', sidecar, root], {
    env: {
      ROOT_ACCESS_KEY: credentials.AWS_ACCESS_KEY_ID,
      ROOT_SECRET_KEY: credentials.AWS_SECRET_ACCESS_KEY,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const url = `http://${address}`;
  await answered(url);
  return {
    url,
    root,
    scratch,
    async stop() {
      process.off('exit', killWithUs);
      await ended(child);
      await rm(place, { recursive: true, force: true });
    },
  };
}

/** Waits until the server answers. Throws the error of the last attempt. */
export async function answered(url: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await fetch(url);
      return;
    } catch (error) {
      if (attempt === 500) throw error;
    }
    await sleep(20);
  }
}

/** Ends a process that this one has started. */
export function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen({ host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
