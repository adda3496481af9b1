import { readFile } from 'node:fs/promises';
import { parse } from 'lossless-json';
import { UsageError } from '../errors.ts';
import { defaultSettingsFile, type Settings } from './settings.ts';
import type { Upgrade } from './version-1.ts';

/**
 * The settings of a connection. Throws `UsageError` if there is no such file, if it is of a newer version, and, for
 * all its mistakes at once, if it is wrong.
 */
export async function readSettings(file = defaultSettingsFile): Promise<Settings> {
  return (await readSettingsFile(file)).settings;
}

/** A settings file that was read. */
export type SettingsFile = {
  readonly settings: Settings;
  /** Present if the file is of an older version of the format. */
  readonly upgrade?: Upgrade;
};

/** The same, with what is needed to rewrite the file in the current format. */
export async function readSettingsFile(file: string): Promise<SettingsFile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === 'ENOENT'
        ? `There is no settings file ${file}.`
        : `The settings file ${file} cannot be read (${code}).`,
      'Name another with --settings, or create one with incident-io-source link.',
    );
  }
  // Some editors start a file with a byte order mark, which is not JSON.
  return parseSettings(text.replace(/^\uFEFF/, ''), file);
}

/** The settings in a file's text; `file` is for messages, and for the paths in it. Throws as `readSettings` does. */
export async function parseSettings(text: string, file: string): Promise<SettingsFile> {
  // Loaded here, so that commands without settings need not wait for zod.
  const [{ settingsOf }, { settingsError }, { upgradeOf }] = await Promise.all([
    import('./schema.ts'),
    import('./problems.ts'),
    import('./version-1.ts'),
  ]);
  const duplicates: string[] = [];
  let value: unknown;
  try {
    value = parse(text, undefined, {
      parseNumber: Number,
      onDuplicateKey({ key, position, newValue }) {
        duplicates.push(`Duplicate key ${JSON.stringify(key)} (line ${lineOf(text, position)}).`);
        return newValue;
      },
    });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The parser's own words quote the file, which may hold a key by mistake.
    const position = /position (\d+)/.exec(error.message)?.[1];
    const where = position === undefined ? '' : ` (line ${lineOf(text, Number(position))})`;
    throw settingsError(file, [`this is not valid JSON${where}.`]);
  }
  if (duplicates.length > 0) throw settingsError(file, duplicates);
  const settings = settingsOf(value, file);
  const upgrade = upgradeOf(value);
  return { settings, ...(upgrade && { upgrade }) };
}

function lineOf(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}
