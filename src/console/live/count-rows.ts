import { createClient } from '../../incident-io/client.ts';
import { readPermissions } from '../../incident-io/permissions.ts';
import { resolveKey } from '../../settings/key.ts';
import type { Settings } from '../../settings/settings.ts';
import { tableNamed } from '../../tables/index.ts';

/**
 * Asks the API how many rows tables have, with one request for each list that it counts. Throws `KeyMissingError` if
 * the key is not on this machine, `CredentialsError`.
 */
export async function countRows(
  settings: Settings,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const counted = names.map(tableNamed).filter((table) => table.counted === true);
  if (counted.length === 0) return new Map();
  const client = createClient({ apiKey: await resolveKey(settings.apiKey), baseUrl: settings.baseUrl });
  const permissions = await readPermissions(client, counted, { signal });
  return new Map(
    permissions.flatMap((one) =>
      one.allowed && one.rows !== undefined ? [[one.table, one.rows] as const] : [],
    ),
  );
}
