import { setTimeout as sleep } from 'node:timers/promises';
import type { MetricMeter } from '@temporalio/common';
import type { Observer } from '../../activities/index.ts';
import type { Table } from '../tables/table.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { Log } from './logs.ts';

/** Counts what runs ask for and stage, as it happens, so that a first sync of hours is seen going on. */
export function countingObserver(meter: MetricMeter): Observer {
  const requests = meter.createCounter('incident_io_source_requests', undefined, 'Requests to the API.');
  const rows = meter.createCounter(
    'incident_io_source_rows',
    undefined,
    'Rows read from the API and staged.',
  );
  const waited = meter.createCounter(
    'incident_io_source_limit_wait_seconds',
    undefined,
    'Seconds that requests waited at the rate limit, summed over those that wait side by side.',
  );
  // Counters take whole numbers only, and most waits are shorter than a second.
  const fractionsMs = new Map<string, number>();
  return {
    requested: (table, waitedMs) => {
      requests.add(1, { table });
      const ms = (fractionsMs.get(table) ?? 0) + waitedMs;
      waited.add(Math.floor(ms / 1_000), { table });
      fractionsMs.set(table, ms % 1_000);
    },
    staged: (table, staged) => rows.add(staged, { table }),
  };
}

/** As often as a scrape is likely to come. */
const lagEveryMs = 15_000;

/**
 * Keeps each table's lag up to date until `done`: seconds since the time up to which the table is complete. It is
 * read from the tables, not from this worker's runs, so all workers of a queue say the same and a restart forgets
 * nothing. A table that was never synced, or cannot be read, is infinitely late: that sets alarms off, where a
 * value that is missing or stays as it was would not.
 */
export async function keepLag(
  meter: MetricMeter,
  warehouse: Warehouse,
  tables: readonly Table[],
  log: Log,
  done: AbortSignal,
): Promise<void> {
  const lag = meter.createGauge(
    'incident_io_source_lag_seconds',
    'float',
    undefined,
    'Seconds since the time up to which the table is complete.',
  );
  while (!done.aborted) {
    for (const table of tables) {
      try {
        const state = await warehouse.readState(table);
        const completeTo = Math.max(state?.watermark ?? 0, state?.fullReadAt ?? 0);
        lag.set(completeTo > 0 ? Math.max(0, (Date.now() - completeTo) / 1_000) : Infinity, {
          table: table.name,
        });
      } catch (error) {
        lag.set(Infinity, { table: table.name });
        log('error', 'the lag of a table cannot be read', { table: table.name, error });
      }
    }
    await sleep(lagEveryMs, undefined, { signal: done }).catch(() => undefined);
  }
}
