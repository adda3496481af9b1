import type { Metadata } from './actions.ts';
import { dayMs, hourMs } from './table-clock.ts';

/**
 * How long a data file stays after its removal, so that readers of older versions still find it. It is Delta's own
 * table property, so that other tools respect it when they clean up.
 */
export const retentionProperty = 'delta.deletedFileRetentionDuration';
/** Delta's default. */
const defaultMs = 7 * dayMs;
/** A commit may read a file for two hours after another one has removed it, and a query for a working day. */
const leastMs = dayMs;

const unitMs: { readonly [unit: string]: number } = {
  week: 7 * dayMs,
  day: dayMs,
  hour: hourMs,
  minute: 60_000,
  second: 1_000,
  millisecond: 1,
};

/** In ms, never less than one day. An unparseable interval gives Infinity, so nothing is deleted. */
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

/** The table's properties with this retention; unchanged if they already say the same, or if none is asked for. */
export function withRetention(
  configuration: Metadata['configuration'],
  retentionMs: number | undefined,
): Metadata['configuration'] {
  if (retentionMs === undefined || retentionOf({ configuration }) === retentionMs) return configuration;
  return { ...configuration, [retentionProperty]: `interval ${retentionMs / dayMs} days` };
}
