import { setTimeout as sleep } from 'node:timers/promises';
import type { MetricMeter } from '@temporalio/common';
import { intervalMs, type Settings } from '../settings/settings.ts';
import { tableNamed } from '../tables/index.ts';
import type { TableState, Warehouse } from '../warehouse/warehouse.ts';
import type { Connections } from './connections.ts';
import type { Log } from './logs.ts';
import type { Labels } from './metrics.ts';

/** About as often as Prometheus scrapes; not more often, since requests to a bucket are billed. */
const readEveryMs = { folder: 15_000, bucket: 60_000 };
/** Many connections are read one after the other, in at most this share of the time. */
const shareOfTime = 0.1;

type Reading = {
  readonly connections: Connections;
  readonly labelsOf: (destination: string) => Labels;
  /** Gives `work` the warehouse of a connection. */
  readonly withWarehouse: <T>(settings: Settings, work: (warehouse: Warehouse) => Promise<T>) => Promise<T>;
  readonly log: Log;
};

/**
 * Keeps the metrics of each table up to date until `done`. They are read from the tables, not from this process's runs,
 * so all workers of a queue agree and a restart loses nothing. The lag of a table that was never synced or cannot be
 * read is infinite: that raises alarms, which a missing or stale value would not.
 */
export async function keepTableFigures(
  meter: MetricMeter,
  { connections, labelsOf, withWarehouse, log }: Reading,
  done: AbortSignal,
): Promise<void> {
  const gauge = (name: string, description: string) =>
    meter.createGauge(`incident_io_source_${name}`, 'float', undefined, description);
  const lag = gauge('lag_seconds', 'Seconds since the time up to which the table is complete.');
  const frequency = gauge('frequency_seconds', 'Seconds between two syncs, by the settings.');
  const differences = gauge(
    'count_differences',
    'Consecutive commits after which the API counted a different number of rows than the table has.',
  );
  const read = async (warehouse: Warehouse, { connection, destination, tables }: Settings) => {
    for (const [table, { every }] of Object.entries(tables)) {
      const tags = { table, ...labelsOf(destination) };
      frequency.set(intervalMs(every) / 1_000, tags);
      try {
        const state = await warehouse.readState(tableNamed(table));
        lag.set(lagOf(state), tags);
        differences.set(state?.differences ?? 0, tags);
      } catch (error) {
        lag.set(Infinity, tags);
        log('error', 'cannot read the lag of a table', { connection, table, error });
      }
    }
    return readEveryMs[warehouse.kind];
  };
  const pause = (ms: number) => sleep(ms, undefined, { signal: done }).catch(() => undefined);
  while (!done.aborted) {
    const roundBegan = performance.now();
    let everyMs = readEveryMs.folder;
    const list = connections.list();
    for (const settings of list) {
      if (done.aborted) return;
      const began = performance.now();
      try {
        everyMs = Math.max(everyMs, await withWarehouse(settings, (warehouse) => read(warehouse, settings)));
      } catch (error) {
        log('error', 'cannot read the lag of a connection', { connection: settings.connection, error });
      }
      if (list.length > 1) await pause((performance.now() - began) * (1 / shareOfTime - 1));
    }
    await pause(Math.max(0, everyMs - (performance.now() - roundBegan)));
  }
}

function lagOf(state: TableState | undefined): number {
  const completeTo = Math.max(state?.watermark ?? 0, state?.fullReadAt ?? 0);
  return completeTo > 0 ? Math.max(0, (Date.now() - completeTo) / 1_000) : Infinity;
}
