import { randomUUID } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, link, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'lossless-json';
import { UsageError } from '../errors.ts';
import { defaultSettingsFile, type Settings } from './settings.ts';
import { bucketOf } from '../warehouse/store/destination.ts';

/**
 * The settings of a connection. Throws `UsageError` where there is no such file, where it is of a newer version,
 * and, for all its mistakes at once, where it is not as it should be.
 */
export async function readSettings(file = defaultSettingsFile): Promise<Settings> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === 'ENOENT'
        ? `There is no settings file ${file}.`
        : `The settings file ${file} cannot be read (${code}).`,
      'Name it with --settings, or make one: incident-io-source link.',
    );
  }
  // Some editors begin a file with a mark that is no JSON.
  return parseSettings(text.replace(/^\uFEFF/, ''), file);
}

/** The settings in a file's text; `file` for messages, and for the paths in it. Throws as `readSettings` does. */
export async function parseSettings(text: string, file: string): Promise<Settings> {
  // zod, which the commands that read no settings need not wait for.
  const { settingsError, settingsOf } = await import('./schema.ts');
  let value: unknown;
  try {
    // Keys that stand twice are all told of below.
    value = parse(text, undefined, { parseNumber: Number, onDuplicateKey: ({ newValue }) => newValue });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The parser's words quote the file, which may hold a key by mistake.
    const position = /position (\d+)/.exec(error.message)?.[1];
    const where =
      position === undefined ? '' : `; the first mistake is in line ${lineOf(text, Number(position))}`;
    throw settingsError(file, [`this is not JSON${where}.`]);
  }
  const twice = keysTwice(text);
  if (twice.length > 0) throw settingsError(file, twice);
  return settingsOf(value, file);
}

/** A sentence for each key that stands twice in one object; the parser would take the last without a word. */
function keysTwice(json: string): string[] {
  const twice: string[] = [];
  const objects: Set<unknown>[] = [];
  for (const { 0: token, 1: key, index } of json.matchAll(
    /("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g,
  )) {
    if (token === '{') objects.push(new Set());
    else if (token === '}') objects.pop();
    else if (key !== undefined) {
      const name: unknown = JSON.parse(key);
      const keys = objects.at(-1)!;
      if (keys.has(name))
        twice.push(`${key} stands twice in one object, again in line ${lineOf(json, index)}.`);
      keys.add(name);
    }
  }
  return twice;
}

function lineOf(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}

/**
 * Writes the settings, whole or not at all, with everything spelt out and paths beneath the file's folder
 * relative to it, so that the folder can be moved.
 * @param replace whether a file that is there already is replaced.
 *
 * Throws `UsageError` where there is one and it is not.
 */
export async function writeSettings(
  file: string,
  settings: Settings,
  { replace }: { readonly replace: boolean },
): Promise<void> {
  const folder = dirname(resolve(file));
  const { apiKey, destination } = settings;
  const written = {
    ...schemaAddress(folder),
    ...settings,
    apiKey: 'env' in apiKey ? apiKey : { file: pathFrom(folder, apiKey.file) },
    destination: bucketOf(destination) ? destination : pathFrom(folder, destination),
  };
  const temporary = join(folder, `.incident-io-${randomUUID()}.json`);
  const handle = await open(temporary, 'wx', 0o644);
  try {
    try {
      await handle.writeFile(`${JSON.stringify(written, undefined, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (replace) await rename(temporary, file);
    else await link(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw settingsExist(file);
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Throws `UsageError` where the file is there already and is not to be replaced, and where nobody may write there. */
export async function assertMayWrite(file: string, replace: boolean): Promise<void> {
  if (!replace && existsSync(file)) throw settingsExist(file);
  await access(dirname(resolve(file)), constants.W_OK);
}

function settingsExist(file: string): UsageError {
  return new UsageError(
    `${file} is there already.`,
    'Use incident-io-source apply for it, another file (--settings), or --force to replace it.',
  );
}

function pathFrom(folder: string, path: string): string {
  const relativePath = relative(folder, path);
  return relativePath === '..' || relativePath.startsWith(`..${sep}`) ? path : `./${relativePath}`;
}

/** For editors; left out where this package is elsewhere, as a path of this machine is of no use in a repository. */
function schemaAddress(folder: string): { readonly $schema?: string } {
  // Beside package.json, which lies above both the sources and the build.
  const root = import.meta.url.endsWith('.ts') ? '../../' : '../../../';
  const path = pathFrom(folder, fileURLToPath(new URL(`${root}incident-io.schema.json`, import.meta.url)));
  return path.startsWith('.') ? { $schema: path } : {};
}
