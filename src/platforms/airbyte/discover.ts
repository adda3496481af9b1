import { sideBySide } from '../../warehouse/side-by-side.ts';
import type { PlatformConfig } from '../config.ts';
import type { LineOutput } from '../line-output.ts';
import { openPlace } from '../place.ts';
import { readableTables } from '../readable-tables.ts';
import { catalogStream } from './catalog.ts';
import { airbyteDialect } from './dialect.ts';
import { log } from './messages.ts';

/** `discover`: the tables that the key can read, including columns that kept tables have gained since. */
export async function discover(
  config: PlatformConfig,
  output: LineOutput,
  signal: AbortSignal,
): Promise<void> {
  const { readable, unreadable } = await readableTables(config, signal);
  for (const sentence of unreadable) await output.message(log('WARN', sentence));
  const place = await openPlace(config);
  try {
    const { warehouse, isKept } = place;
    const streams = await sideBySide(readable, async (table) => {
      const snapshot = isKept ? await warehouse.snapshotOf(table) : undefined;
      return catalogStream(table, snapshot, airbyteDialect(config));
    });
    await output.message({ type: 'CATALOG', catalog: { streams } });
  } finally {
    await place.close();
  }
}
