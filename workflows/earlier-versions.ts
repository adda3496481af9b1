import type { SyncTableInput } from './contract.ts';

// Runs and schedules outlive upgrades: what earlier versions wrote still has to be understood.

/** Schedules and runs started before version 0.2 carry the sync method under the name `method`. */
export function syncMethodOf({
  syncMethod,
  method,
}: Partial<SyncTableInput> & {
  readonly method?: SyncTableInput['syncMethod'];
}): SyncTableInput['syncMethod'] {
  return syncMethod ?? method ?? 'full_refresh';
}

/** The watermark in the result of the schedule's last run, which another version may have written. */
export function watermarkOf(lastResult: unknown): number | undefined {
  const watermark = (lastResult as { watermark?: unknown } | null | undefined)?.watermark;
  return typeof watermark === 'number' ? watermark : undefined;
}
