import { createHash } from 'node:crypto';
import type { ScheduleOptions, ScheduleOptionsStartWorkflowAction } from '@temporalio/client';
import { ScheduleOverlapPolicy } from '@temporalio/client/lib/schedule-types.js';
import type { SyncTableInput } from '../../../workflows/contract.ts';
import { restartPolicy } from '../../../workflows/restart.ts';
import type { syncTable } from '../../../workflows/sync-table.ts';
import { defined } from '../../defined.ts';
import { intervalMs, type Settings, type TableSettings } from '../../settings/settings.ts';
import { tableNamed } from '../../tables/index.ts';
import { hostName, scheduleId, workerQueue } from '../../temporal/names.ts';
import { inputOf, toMethod } from '../runs/input.ts';
import { marker, type Owner } from './schedule-owner.ts';

export type SyncSchedule = ScheduleOptions<ScheduleOptionsStartWorkflowAction<typeof syncTable>>;

/** A table's schedule as the settings want it. */
export type DesiredSchedule = { readonly table: string; readonly options: SyncSchedule };

/** A run gives up after its interval, so that the next one can try, but never before an outage of an hour has passed. */
const giveUpMinutes = { least: 60, most: 24 * 60 };
/** The shortest catch-up window that the server accepts. */
const leastCatchUpMs = 10_000;

/**
 * The schedules that the settings want, one per table.
 * @param account `dashboard_url` of the key's account, or `unknown`
 */
export function desiredSchedules(settings: Settings, account: string): DesiredSchedule[] {
  return Object.entries(settings.tables).map(([table, entry]) => ({
    table,
    options: optionsOf(settings, account, table, entry),
  }));
}

function optionsOf(settings: Settings, account: string, table: string, entry: TableSettings): SyncSchedule {
  const { connection, apiKey, baseUrl, destination, retention, personal, hashKey } = settings;
  const id = scheduleId(connection, table);
  const everyMs = intervalMs(entry.every);
  const giveUpAfterMinutes = Math.min(Math.max(everyMs / 60_000, giveUpMinutes.least), giveUpMinutes.most);
  const retentionMs = intervalMs(retention);
  const source = {
    destination,
    apiKey,
    baseUrl,
    account,
    giveUpAfterMinutes,
    periodic: true,
    retentionMs,
    ...defined({ personal, hashKey }),
  } as const;
  return {
    scheduleId: id,
    spec: { intervals: [{ every: everyMs, offset: offsetMs(id, everyMs) }] },
    action: {
      type: 'startWorkflow',
      workflowType: 'syncTable',
      workflowId: `${id}-workflow`,
      taskQueue: workerQueue(settings),
      // All workers of this queue know the step.
      args: [{ ...inputOf(tableNamed(table), source, toMethod(entry), entry), quick: 'local' }],
      retry: restartPolicy,
    },
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      // The default is a year: after an outage, every missed run would be made up for. One is enough.
      catchupWindow: Math.max(everyMs, leastCatchUpMs),
      pauseOnFailure: false,
    },
    memo: { [marker]: { connection, destination, host: hostName() } satisfies Owner },
  };
}

/** Whole seconds, as the server keeps them; hashed from the id, so that tables do not all start together. */
function offsetMs(id: string, everyMs: number): number {
  const hash = createHash('sha256').update(id).digest().readUInt32BE();
  return (hash % (everyMs / 1_000)) * 1_000;
}

/** The arguments of a schedule's runs with another account in them. */
export function withAccount(input: SyncTableInput, account: string): [SyncTableInput] {
  return [{ ...input, run: { ...input.run, account } }];
}
