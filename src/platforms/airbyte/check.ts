import { SourceError } from '../../errors.ts';
import { systemCodeOf } from '../../failure.ts';
import { configOf, withoutWarehouse } from '../config.ts';
import { platformFailure } from '../failure-type.ts';
import type { LineOutput } from '../line-output.ts';
import { openPlace } from '../place.ts';
import { readableTables } from '../readable-tables.ts';
import { connectionStatus, log } from './messages.ts';

/**
 * `check`: whether the key may read at least one table, and whether the place of the tables is writable. If either is
 * wrong, that is the answer. An API or a store that does not answer proves nothing about them, so its error is thrown.
 */
export async function check(
  readConfig: () => Promise<unknown>,
  output: LineOutput,
  signal: AbortSignal,
): Promise<void> {
  try {
    const config = configOf(await readConfig());
    const { readable, unreadable } = await readableTables(config, signal);
    // A message next to SUCCEEDED is shown nowhere.
    for (const sentence of unreadable) await output.message(log('WARN', sentence));
    if (readable.length === 0) {
      const advice = 'Grant it view scopes in incident.io under Settings → API keys.';
      await output.message(connectionStatus('FAILED', `The API key can read no table. ${advice}`));
      return;
    }
    if (config.warehouse === undefined) await output.message(log('WARN', withoutWarehouse));
    const place = await openPlace(config);
    try {
      await place.warehouse.assertWritable();
    } finally {
      await place.close();
    }
    await output.message(connectionStatus('SUCCEEDED'));
  } catch (error) {
    const failure = platformFailure(error);
    const isForeseen = error instanceof SourceError || systemCodeOf(error) !== undefined;
    if (failure.type === 'transient_error' || !isForeseen) throw error;
    await output.message(connectionStatus('FAILED', failure.message));
  }
}
