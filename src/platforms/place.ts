import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDestination } from '../warehouse/open-warehouse.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { PlatformConfig } from './config.ts';

/** Where a read keeps its tables. */
export type Place = {
  readonly warehouse: Warehouse;
  /** False for a scratch folder, which `close` deletes. */
  readonly isKept: boolean;
  readonly close: () => Promise<void>;
};

export async function openPlace({
  warehouse: destination,
}: Pick<PlatformConfig, 'warehouse'>): Promise<Place> {
  if (destination !== undefined) {
    const warehouse = await openDestination(destination);
    return { warehouse, isKept: true, close: () => warehouse.close() };
  }
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-source-read-'));
  const warehouse = await openDestination(folder);
  return {
    warehouse,
    isKept: false,
    async close() {
      await warehouse.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
