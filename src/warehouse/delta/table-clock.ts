import type { Metadata } from './actions.ts';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

type CreationTime = Pick<Metadata, 'createdTime'>;

/**
 * When the hour or day of a time began (ms). A table's hours and days count from its creation, so that the daily work
 * of all tables does not come due at the same moment.
 */
export function startOf({ createdTime = 0 }: CreationTime, lengthMs: number, time: number): number {
  return time - ((time - createdTime) % lengthMs);
}

/** Whether `now` is on a later day than `since`, by the table's days. */
export function isFirstOfDay(metadata: CreationTime, since: number, now: number): boolean {
  return startOf(metadata, dayMs, since) < startOf(metadata, dayMs, now);
}
