import type { Plan, Recounted, TableRun } from '../activities/contract.ts';
import type { SyncTableResult } from './contract.ts';
import type { CommitOutcome, RunHost } from './host.ts';

/**
 * After the run's commit, repairs a table whose row count differs from the API's. A failure here does not fail the run:
 * the next one counts again.
 * @returns the result with what was repaired, or with a note on what could not be.
 */
export async function recount(
  host: RunHost,
  run: TableRun,
  { fullRead, now }: Plan,
  outcome: CommitOutcome,
  result: SyncTableResult,
): Promise<SyncTableResult> {
  if (outcome.status !== 'committed' || fullRead || outcome.differences === 0) return result;
  const recountSync = host.recountSync();
  if (!recountSync) return result;
  try {
    const recounted = await recountSync({
      run,
      plannedOn: outcome.counter,
      ...(now !== undefined && { now }),
    });
    return withRecounted(result, recounted);
  } catch (error) {
    if (host.isCancellation(error)) throw error;
    const why = host.explain(error);
    return withNote(
      result,
      `Repairing the rows that the API counts differently is left to the next run: ${why}`,
    );
  }
}

function withRecounted(result: SyncTableResult, recounted: Recounted): SyncTableResult {
  switch (recounted.status) {
    case 'agrees':
      return result;
    case 'unknown':
      return withNote(
        result,
        `The API counts a different number of rows than the table has, and the days that differ could not be found: ${recounted.reason}. If the next count differs too, the run after it reads the whole table.`,
      );
    case 'recounted': {
      const { version, rows, inserted, updated, dropped, days, requests } = recounted;
      const { changes, read } = result;
      return {
        ...withNote(
          result,
          `The API counted a different number of rows: ${days} days were read again, ${dropped} rows are gone.`,
        ),
        version,
        rows,
        read: { ...read, requests: read.requests + requests },
        ...(changes && {
          changes: {
            ...changes,
            inserted: changes.inserted + inserted,
            updated: changes.updated + updated,
            dropped: changes.dropped + dropped,
          },
        }),
      };
    }
  }
}

function withNote(result: SyncTableResult, note: string): SyncTableResult {
  return { ...result, notes: [...result.notes, note] };
}
