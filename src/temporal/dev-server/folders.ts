import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { TemporalUnavailableError } from '../../errors.ts';
import { systemCodeOf } from '../../failure.ts';

// The folders of the embedded server, and the variable that moves each of them.

/** The state of the embedded server: `$XDG_STATE_HOME`, or `~/.local/state`. */
export function defaultStateDir(env: NodeJS.ProcessEnv): string {
  const folder = env['XDG_STATE_HOME'] || join(homeOf(env, 'XDG_STATE_HOME'), '.local', 'state');
  return resolve(folder, 'incident-io-source');
}

/** The Temporal CLIs that were fetched: `$XDG_CACHE_HOME`, or `~/.cache`. */
export function cacheDir(env: NodeJS.ProcessEnv): string {
  const folder = env['XDG_CACHE_HOME'] || join(homeOf(env, 'XDG_CACHE_HOME'), '.cache');
  return resolve(folder, 'incident-io-source');
}

/** @param variable moves the folder elsewhere. */
function homeOf(env: NodeJS.ProcessEnv, variable: string): string {
  if (env['HOME']) return env['HOME'];
  try {
    return homedir();
  } catch (error) {
    throw new TemporalUnavailableError(
      'The embedded Temporal server needs a folder, but this user has no home: HOME is not set, and the system does not know the user.',
      `Set ${variable} to a folder that this user may write to, or TEMPORAL_ADDRESS to a Temporal server.`,
      { cause: error },
    );
  }
}

/** A folder that this program writes to. */
export type OwnFolder = {
  readonly path: string;
  /** What it holds, such as `the state of the embedded Temporal server`. */
  readonly holds: string;
  /** The variable that moves it elsewhere. */
  readonly variable: string;
};

/** Does work in a folder. Throws `TemporalUnavailableError` if the operating system refuses something. */
export async function inFolder<T>(folder: OwnFolder, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = systemCodeOf(error);
    throw code === undefined ? error : refusedIn(folder, code, error);
  }
}

/** Says that the operating system refused something in a folder: where, why, and what to do. */
export function refusedIn(
  { path, holds, variable }: OwnFolder,
  code: string,
  cause?: unknown,
): TemporalUnavailableError {
  const elsewhere = `set ${variable} to another folder.`;
  const [reason, advice] = refusals[code] ?? [`the system reports ${code}`, 'Look into that, or'];
  return new TemporalUnavailableError(
    `Cannot keep ${holds} in ${path}: ${reason}.`,
    advice.endsWith('.') ? advice : `${advice} ${elsewhere}`,
    { cause },
  );
}

/** A reason and an advice, which is either a whole sentence or is continued with the variable to set. */
type Refusal = readonly [reason: string, advice: string];

const forbidden: Refusal = ['this user may not write there', 'Give this user write access, or'];
const missing: Refusal = ['there is no such folder, and it cannot be created', 'Create it, or'];
const full: Refusal = ['the disk is full', 'Free some space, or'];
const tooManyFiles: Refusal = [
  'the limit of open files is reached',
  'Raise the limit of open files (ulimit -n, or LimitNOFILE in a systemd unit).',
];

/** By the system's code. */
const refusals: { readonly [code: string]: Refusal } = {
  EACCES: forbidden,
  EPERM: forbidden,
  ENOENT: missing,
  ENOTDIR: missing,
  ENOSPC: full,
  EDQUOT: full,
  EROFS: ['the file system is read-only', 'Make it writable, or'],
  EMFILE: tooManyFiles,
  ENFILE: tooManyFiles,
};
