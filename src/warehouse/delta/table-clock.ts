import type { Metadata } from '../delta/actions.ts';

export const hourMs = 3_600_000;
export const dayMs = 86_400_000;

type Made = Pick<Metadata, 'createdTime'>;

/** When the hour, or day, of a time began. They begin when the table was made, so that tables do not all begin at once. */
export function beginOf({ createdTime = 0 }: Made, lengthMs: number, time: number): number {
  return time - ((time - createdTime) % lengthMs);
}

/** Whether the day of `now` is another one than that of `since`. */
export function isFirstOfDay(metadata: Made, since: number, now: number): boolean {
  return beginOf(metadata, dayMs, since) < beginOf(metadata, dayMs, now);
}
