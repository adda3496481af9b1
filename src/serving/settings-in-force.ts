import { readFile, stat } from 'node:fs/promises';
import { SourceError } from '../errors.ts';
import { parseSettings } from '../settings/file.ts';
import type { Settings } from '../settings/settings.ts';
import { placeHere } from './connections.ts';

/** A settings file as it was last read. */
export type KnownFile = {
  readonly file: string;
  /** Differs whenever the file has changed. */
  readonly stamp: string;
  /** Its settings, if they are valid. */
  readonly read?: Settings;
  /** The settings that were in force before. */
  readonly inForce?: Settings;
  /** What is wrong with the file. */
  readonly problem?: Problem;
};

export type Problem = { readonly error: string; readonly advice: string };

/** Reads a file again if it has changed; `undefined` if it is gone. */
export async function lookAt(file: string, before: KnownFile | undefined): Promise<KnownFile | undefined> {
  try {
    const { mtimeMs, size, ino } = await stat(file);
    const stamp = `${mtimeMs} ${size} ${ino}`;
    if (before?.stamp === stamp) return before;
    const { inForce } = before ?? {};
    return { file, stamp, ...(inForce && { inForce }), ...(await readOrProblem(file)) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readOrProblem(file: string): Promise<Pick<KnownFile, 'read' | 'problem'>> {
  try {
    const text = await readFile(file, 'utf8');
    return { read: (await parseSettings(text.replace(/^\uFEFF/, ''), file)).settings };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof SourceError) return { problem: { error: error.message, advice: error.advice } };
    if (code === undefined || code === 'ENOENT') throw error;
    return {
      problem: {
        error: `The settings file ${file} cannot be read (${code}).`,
        advice: 'Give the user that the worker runs as permission to read it.',
      },
    };
  }
}

/**
 * Decides which settings are in force. A file that is invalid, or that names the connection or destination of another
 * file, keeps its earlier settings. If two files name the same one, the file that had it first wins; at the start, the
 * first in the list.
 * @returns the files with the settings that are now in force, and with their problems
 */
export function decide(files: readonly KnownFile[]): KnownFile[] {
  const owners = new Map<string, string>();
  // Files that keep their connection and destination come before those that want new ones.
  const keeping = files.filter(({ read, inForce }) => inForce && isSame(read ?? inForce, inForce));
  const asking = files.filter((file) => !keeping.includes(file));
  for (const { file, inForce } of asking) if (inForce) claim(owners, file, inForce);
  const decided = new Map<string, KnownFile>();
  for (const known of [...keeping, ...asking]) {
    const { file, stamp, read, problem } = known;
    const wanted = read ?? known.inForce;
    const conflict = wanted && conflictOf(owners, file, wanted);
    const inForce = conflict === undefined ? wanted : known.inForce;
    if (inForce) claim(owners, file, inForce);
    const wrong = (read ? undefined : problem) ?? conflict;
    decided.set(file, {
      file,
      stamp,
      ...(read && { read }),
      ...(inForce && { inForce }),
      ...(wrong && { problem: wrong }),
    });
  }
  return files.map(({ file }) => decided.get(file)!);
}

function namesOf({ connection, destination }: Settings): { readonly [what: string]: string } {
  return { connection: `connection ${connection}`, destination: `destination ${placeHere(destination)}` };
}

function isSame(a: Settings, b: Settings): boolean {
  return a.connection === b.connection && placeHere(a.destination) === placeHere(b.destination);
}

function claim(owners: Map<string, string>, file: string, settings: Settings): void {
  for (const name of Object.values(namesOf(settings))) owners.set(name, file);
}

function conflictOf(
  owners: ReadonlyMap<string, string>,
  file: string,
  settings: Settings,
): Problem | undefined {
  for (const [what, name] of Object.entries(namesOf(settings))) {
    const owner = owners.get(name);
    if (owner === undefined || owner === file) continue;
    const shown = what === 'connection' ? `the connection ${settings.connection}` : settings.destination;
    return {
      error: `${file}: ${shown} is already served by the settings in ${owner}.`,
      advice: `Give this connection another ${what === 'connection' ? 'name' : what}, or delete one of the two files.`,
    };
  }
  return undefined;
}
