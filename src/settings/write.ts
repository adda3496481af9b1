import { randomUUID } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../errors.ts';
import { bucketOf } from '../warehouse/store/destination.ts';
import { homeFolder } from './key-file.ts';
import type { KeyReference } from './key.ts';
import type { Settings } from './settings.ts';
import type { Upgrade } from './version-1.ts';

/**
 * Writes the settings as a whole or not at all. Every setting is written out. Paths are written such that the file
 * can be shared: relative to its folder if they are below it, and a key below the home folder as `~/…`.
 * @param replace whether a file that exists is replaced
 *
 * Throws `UsageError` if there is one and it is not to be replaced.
 */
export async function writeSettings(
  file: string,
  settings: Settings,
  { replace }: { readonly replace: boolean },
): Promise<void> {
  await writeWhole(file, settingsText(file, settings), { replace });
}

/** The text of a settings file. */
export function settingsText(file: string, settings: Settings): string {
  const folder = dirname(resolve(file));
  const { apiKey, hashKey, webhooks, notify, destination } = settings;
  const shared = (key: KeyReference) => ('env' in key ? key : { file: keyPathFrom(folder, key.file) });
  return textOf({
    ...schemaAddress(folder),
    ...settings,
    apiKey: shared(apiKey),
    ...(hashKey && { hashKey: shared(hashKey) }),
    ...(webhooks && { webhooks: { secret: shared(webhooks.secret) } }),
    ...(notify && { notify: { url: shared(notify.url) } }),
    destination: bucketOf(destination) ? destination : pathFrom(folder, destination),
  });
}

function textOf(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Writes a settings file of an older version in the current format. All values stay as they are written. */
export async function writeUpgrade(file: string, { value }: Upgrade): Promise<void> {
  // Follows a symbolic link: otherwise the link would be replaced, not the file.
  const target = await realpath(file);
  const { mode } = await stat(target);
  await writeWhole(target, textOf(value), { replace: true, mode: mode & 0o777 });
}

async function writeWhole(
  file: string,
  text: string,
  { replace, mode }: { readonly replace: boolean; readonly mode?: number },
): Promise<void> {
  const temporary = join(dirname(resolve(file)), `.incident-io-${randomUUID()}.json`);
  const handle = await open(temporary, 'wx', 0o644);
  try {
    try {
      if (mode !== undefined) await handle.chmod(mode);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (replace) await rename(temporary, file);
    else await claimAndRename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Reserves the name with an empty file, to be replaced at once: not every file system has links to do it in one step. */
async function claimAndRename(temporary: string, file: string): Promise<void> {
  try {
    await (await open(file, 'wx')).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw settingsExist(file);
    throw error;
  }
  try {
    await rename(temporary, file);
  } catch (error) {
    // If the empty file stayed, every later command would read it as settings.
    await rm(file, { force: true });
    throw error;
  }
}

/** Throws `UsageError` if the file exists and is not to be replaced, and the system's error if it cannot be written. */
export async function assertMayWrite(file: string, replace: boolean): Promise<void> {
  if (!replace && existsSync(file)) throw settingsExist(file);
  await access(dirname(resolve(file)), constants.W_OK);
}

function settingsExist(file: string): UsageError {
  return new UsageError(
    `The settings file ${file} already exists.`,
    'Change it with an editor and run incident-io-source apply, name another file (--settings), or replace it (--force).',
  );
}

function keyPathFrom(folder: string, path: string): string {
  const home = homeFolder();
  if (isBelow(folder, path) || home === undefined || !isBelow(home, path)) return pathFrom(folder, path);
  return `~/${withSlashes(relative(home, path))}`;
}

function pathFrom(folder: string, path: string): string {
  return isBelow(folder, path) ? `./${withSlashes(relative(folder, path))}` : path;
}

function isBelow(folder: string, path: string): boolean {
  const steps = relative(folder, path);
  return steps.split(sep)[0] !== '..' && !isAbsolute(steps);
}

function withSlashes(path: string): string {
  return path.split(sep).join('/');
}

/**
 * The JSON Schema, for editors; left out unless it lies in the project that the settings belong to, because other paths
 * of this machine are of no use in a repository.
 */
function schemaAddress(folder: string): { readonly $schema?: string } {
  // Next to package.json, which lies above both the sources and the build.
  const root = import.meta.url.endsWith('.ts') ? '../../' : '../../../';
  const schema = fileURLToPath(new URL(`${root}incident-io.schema.json`, import.meta.url));
  const [project] = schema.split(`${sep}node_modules${sep}`) as [string];
  if (!isBelow(project === schema ? dirname(schema) : project, folder)) return {};
  const path = withSlashes(relative(folder, schema));
  return { $schema: path.startsWith('..') ? path : `./${path}` };
}
