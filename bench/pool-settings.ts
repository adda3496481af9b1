import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultTableSettings, type Settings, settingsVersion } from '../src/settings/settings.ts';
import { tableNamed } from '../src/tables/index.ts';

/** The pool of all connections of a benchmark. */
export const pool = 'bench';

/**
 * The settings of a connection, with a folder of its own for its key and its tables.
 * @param every seconds between two runs of a table; `default` for what settings have by default
 */
export async function settingsOf(
  folder: string,
  name: number | string,
  key: string,
  baseUrl: string,
  { every, tables }: { readonly every: number | 'default'; readonly tables: readonly string[] },
): Promise<Settings> {
  const place = join(folder, `connection-${name}`);
  const destination = join(place, 'warehouse');
  await mkdir(destination, { recursive: true });
  const file = join(place, 'key');
  await writeFile(file, key, { mode: 0o600 });
  return {
    version: settingsVersion,
    retention: '7d',
    connection: `bench-${name}`,
    apiKey: { file },
    baseUrl,
    destination,
    pool,
    tables: Object.fromEntries(
      tables.map((table) => [
        table,
        {
          ...defaultTableSettings(tableNamed(table)),
          ...(every !== 'default' && { every: `${every}s` as const }),
        },
      ]),
    ),
  };
}
