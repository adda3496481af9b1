import { UsageError } from '../errors.ts';
import { settingsVersion } from './settings.ts';

/** Throws `UsageError` for a file whose format is newer than this program. */
export function assertKnownVersion(value: unknown, file: string): void {
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version !== 'number' || version <= settingsVersion) return;
  throw new UsageError(
    `${file} has version ${version} of the settings format; this program reads version ${settingsVersion} and older.`,
    'Update incident-io-source, or use a settings file of an older version.',
  );
}
