import type { SyncTableResult } from '../../workflows/contract.ts';

/** What a run did, for the log of a platform. */
export function describeResult(
  name: string,
  { reason, read, changes, rows, notes, seconds }: SyncTableResult,
): { readonly level: 'INFO' | 'WARN'; readonly text: string }[] {
  const counts = changes
    ? `${changes.inserted} inserted, ${changes.updated} updated, ${changes.dropped} deleted`
    : `${rows} rows`;
  const text = `${name}: ${reason}; ${read.requests} requests, ${read.rows} rows read; ${counts}; ${seconds.toFixed(1)} s`;
  return [
    { level: 'INFO', text },
    ...notes.map((note) => ({ level: 'WARN' as const, text: `${name}: ${note}` })),
  ];
}
