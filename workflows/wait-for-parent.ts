import { sleep } from '@temporalio/workflow';
import { asApplicationFailure } from './failures.ts';

/** Milliseconds between the looks of a scheduled run for its parent's table: about an hour in all. */
const waitsMs = [15_000, 30_000, 60_000, 120_000, ...Array.from({ length: 11 }, () => 300_000)];

/** The parent's table was never synced. */
export const parentMissing = 'ParentMissingError';

/**
 * Plans a run. A scheduled run of a table that is read by the rows of another one waits for that table's first commit:
 * all schedules of a connection begin together. Any other run fails at once, because a person can order the tables.
 */
export async function planWithParent<T>(periodic: boolean, plan: () => Promise<T>): Promise<T> {
  for (let waits = 0; ; waits += 1) {
    try {
      return await plan();
    } catch (error) {
      const waitMs = waitsMs[waits];
      if (!periodic || waitMs === undefined || asApplicationFailure(error).type !== parentMissing)
        throw error;
      await sleep(waitMs);
    }
  }
}
