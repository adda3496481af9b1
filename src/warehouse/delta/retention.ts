import type { Metadata } from './actions.ts';

/**
 * How long a file stays after its removal, so that readers of older versions find it. It is Delta's own table
 * property: the tools of others that clean up keep to it as well.
 */
export const retentionProperty = 'delta.deletedFileRetentionDuration';
const dayMs = 86_400_000;
/** Delta's, where the property is not set. */
const defaultMs = 7 * dayMs;
/** A commit may read for two hours what another one has removed meanwhile, and a query for a working day. */
const leastMs = dayMs;

const unitMs: { readonly [unit: string]: number } = {
  week: 7 * dayMs,
  day: dayMs,
  hour: 3_600_000,
  minute: 60_000,
  second: 1_000,
  millisecond: 1,
};

/** Milliseconds, a day at least. Of an interval that nobody can read it is endless, so nothing goes. */
export function retentionOf({ configuration }: Pick<Metadata, 'configuration'>): number {
  const text = configuration[retentionProperty];
  if (text === undefined) return defaultMs;
  const [, interval] = /^\s*(?:interval\s+)?((?:\d+\s+[a-z]+\s*)+)$/i.exec(text) ?? [];
  const parts = [...(interval ?? '').matchAll(/(\d+)\s+([a-z]+?)s?(?=\s|$)/gi)];
  const ms = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (unitMs[unit!.toLowerCase()] ?? Infinity),
    0,
  );
  return parts.length === 0 ? Infinity : Math.max(ms, leastMs);
}

/** The table's properties with this retention. What says the same already, and what nobody asked for, stays. */
export function withRetention(
  configuration: Metadata['configuration'],
  retentionMs: number | undefined,
): Metadata['configuration'] {
  if (retentionMs === undefined || retentionOf({ configuration }) === retentionMs) return configuration;
  return { ...configuration, [retentionProperty]: `interval ${retentionMs / dayMs} days` };
}
