import { existsSync } from 'node:fs';
import { defaultSettingsFile } from '../../settings/settings.ts';
import type { Session } from '../session.ts';
import { writeText } from '../terminal/text.ts';

/** Where tables are if neither an option nor settings say so. */
const usualDestination = './warehouse';

/**
 * The destination that a command reads from: the one that was given, otherwise that of the settings, which it reports.
 * Throws as `readSettings` does.
 */
export async function destinationToRead(
  { stderr }: Session,
  { from, settings }: { readonly from?: string; readonly settings?: string },
): Promise<string> {
  if (from !== undefined) return from;
  if (settings === undefined && !existsSync(defaultSettingsFile)) return usualDestination;
  const file = settings ?? defaultSettingsFile;
  const { readSettings } = await import('../../settings/file.ts');
  const { destination } = await readSettings(file);
  writeText(stderr, `note: tables in ${destination}, as ${file} says.`);
  return destination;
}
