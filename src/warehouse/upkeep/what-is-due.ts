import { compactionOf } from './compaction.ts';
import type { Remove } from '../delta/actions.ts';
import type { Snapshot } from '../delta/log.ts';
import { beginOf, hourMs, isFirstOfDay } from './periods.ts';
import { retentionOf } from '../delta/retention.ts';

// Upkeep has no memory of its own: of what is done once an hour, or once a day, a commit is told the time of our last
// commit before it, and the first commit of each hour or day does it.

type Facts = Pick<Snapshot, 'files' | 'tombstones' | 'metadata'>;

/**
 * Whether a commit leaves upkeep something to do; looks at nothing but the table's state.
 * @param since when our last commit before it was, milliseconds since the epoch
 */
export function isUpkeepDue(table: Facts, since: number, now: number): boolean {
  return (
    isFirstOfDay(table.metadata, since, now) ||
    compactionOf(table.files.values()) !== undefined ||
    expired(table, since, now).length > 0
  );
}

/** Files whose retention has ended since the hour of `since`, up to the hour of `now`. */
export function expired({ tombstones, metadata }: Facts, since: number, now: number): Remove[] {
  const retention = retentionOf(metadata);
  const from = beginOf(metadata, hourMs, since) - retention;
  const to = beginOf(metadata, hourMs, now) - retention;
  return [...tombstones.values()].filter(
    ({ deletionTimestamp }) =>
      deletionTimestamp !== undefined && deletionTimestamp >= from && deletionTimestamp < to,
  );
}
