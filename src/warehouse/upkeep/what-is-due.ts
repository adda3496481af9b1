import type { TableShape } from '../../tables/table.ts';
import type { Remove } from '../delta/actions.ts';
import type { CommitTimes } from '../delta/log.ts';
import { retentionOf } from '../delta/retention.ts';
import type { Snapshot } from '../delta/snapshot.ts';
import { hourMs, isFirstOfDay, startOf } from '../delta/table-clock.ts';
import { filesToCompact } from './compaction.ts';

// Upkeep keeps no record of what it has done. Work that is due once per hour or once per day is done after the first
// commit in that hour or day, which is known from the time of our previous commit (`since`).

type TableFacts = Pick<Snapshot, 'files' | 'tombstones' | 'metadata'>;

/** Whether there is upkeep to do after a commit. Looks only at the table's state, so that it costs nothing. */
export function isUpkeepDue(table: TableShape, facts: TableFacts, times: CommitTimes): boolean {
  return (
    isFirstOfDay(facts.metadata, times.since, times.now) ||
    filesToCompact(table, facts.files.values()) !== undefined ||
    expiredFiles(facts, times).length > 0
  );
}

/** The removed files whose retention has ended from the hour of `since` on and before the hour of `now`. */
export function expiredFiles(
  { tombstones, metadata }: Omit<TableFacts, 'files'>,
  { since, now }: CommitTimes,
): Remove[] {
  const retention = retentionOf(metadata);
  const from = startOf(metadata, hourMs, since) - retention;
  const to = startOf(metadata, hourMs, now) - retention;
  return [...tombstones.values()].filter(
    ({ deletionTimestamp }) =>
      deletionTimestamp !== undefined && deletionTimestamp >= from && deletionTimestamp < to,
  );
}
