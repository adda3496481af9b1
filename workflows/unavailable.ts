import type { ApplicationFailure } from '@temporalio/workflow';
import type { Failure } from '../src/failure.ts';
import type { SyncTableInput, SyncTableResult } from './contract.ts';
import { watermarkOf } from './earlier-versions.ts';
import { failureOfRun } from './failures.ts';
import { parentMissing } from './wait-for-parent.ts';

/** Schedules ask for a list that the account does not have only once a day. */
const askAgainAfterMs = 86_400_000;

/** When the API last said that a table is not available (`since`, milliseconds since the epoch), and why. */
export type Unavailable = Failure & { readonly since: number };

/**
 * The result of a scheduled run of a table that the account does not have. An account without the product is not a
 * fault, so its schedule neither fails at every interval nor asks each time.
 */
export function unavailableResult(
  { run: { table } }: SyncTableInput,
  unavailable: Unavailable,
  lastResult: unknown,
): SyncTableResult {
  const watermark = watermarkOf(lastResult);
  return {
    table,
    fullRead: false,
    reason: 'not available',
    version: 0,
    rows: 0,
    unavailable,
    // The watermark is kept for when the table becomes available again.
    ...(watermark !== undefined && { watermark }),
    read: { rows: 0, pages: 0, requests: 0, bytes: 0, waitedMs: 0, batches: 0 },
    seconds: 0,
    notes: [],
  };
}

/** Set if a scheduled run need not ask: less than a day ago, the API said that there is no such list. */
export function knownUnavailable(
  { run }: SyncTableInput,
  lastResult: unknown,
  now: number,
): Unavailable | undefined {
  const last = (lastResult as Partial<SyncTableResult> | null | undefined)?.unavailable;
  // The parent's table may exist by now.
  const isOfParent = last?.error === parentMissing;
  return run.periodic && last && !isOfParent && now - last.since < askAgainAfterMs ? last : undefined;
}

/** The account does not have the list, or the parent's table does not exist. */
const unavailableTypes = ['TableUnavailableError', parentMissing];

/** Set if a scheduled run failed because there is no such list; `undefined` for other failures and other runs. */
export function becameUnavailable(
  { run }: SyncTableInput,
  failure: ApplicationFailure,
  now: number,
): Unavailable | undefined {
  if (!run.periodic || !unavailableTypes.includes(failure.type ?? '')) return undefined;
  return { ...failureOfRun(failure), since: now };
}
