import type { ApplicationFailure } from '@temporalio/workflow';
import type { Failure } from '../src/failure.ts';
import type { SyncTableInput, SyncTableResult } from './contract.ts';
import { watermarkOf } from './earlier-versions.ts';
import { failureOfRun } from './failures.ts';

/** A list that the account does not have is asked for once a day. */
const askAgainAfterMs = 86_400_000;

/** Since when a table is not available, milliseconds since the epoch, and why. */
export type Unavailable = Failure & { readonly since: number };

/**
 * The result of a scheduled run of a table that the account does not have. A plan that lacks a product is not a fault,
 * so a schedule neither fails at every interval for it nor asks each time.
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
    // What was known of the table is carried on, for the day on which it is available again.
    ...(watermark !== undefined && { watermark }),
    read: { rows: 0, pages: 0, requests: 0, bytes: 0, waitedMs: 0, batches: 0 },
    seconds: 0,
    notes: [],
  };
}

/** Why a scheduled run need not ask: the last one was told less than a day ago that there is no such list. */
export function knownUnavailable(
  { run }: SyncTableInput,
  lastResult: unknown,
  now: number,
): Unavailable | undefined {
  const last = (lastResult as Partial<SyncTableResult> | null | undefined)?.unavailable;
  return run.periodic && last && now - last.since < askAgainAfterMs ? last : undefined;
}

/** What a scheduled run was told now; `undefined` for any other failure, and for a run that a person waits for. */
export function becameUnavailable(
  { run }: SyncTableInput,
  failure: ApplicationFailure,
  now: number,
): Unavailable | undefined {
  if (!run.periodic || failure.type !== 'TableUnavailableError') return undefined;
  return { ...failureOfRun(failure), since: now };
}
