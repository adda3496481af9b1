import type { SyncTableResult } from '../../../workflows/contract.ts';
import { type Failure, failureOf, isForeseen } from '../../failure.ts';
import { type Frequency, intervalMs } from '../../settings/settings.ts';
import type { Table } from '../../tables/table.ts';
import type { TableState, Warehouse } from '../../warehouse/warehouse.ts';
import { type EndedRun, outcomeByStatus } from '../runs/ended-runs.ts';
import type { ScheduleFacts } from '../schedule/schedule-facts.ts';

/** What is known of a table's committed rows. Times are RFC 3339, UTC. */
export type Freshness = {
  readonly rows?: number;
  readonly watermark?: string;
  readonly lastFullRead?: string;
  /** Seconds since `completeTo`. */
  readonly lagSeconds?: number;
  /** Why the table cannot be read. */
  readonly tableError?: Failure;
  /** Up to when the table is complete; missing before the first successful run. */
  readonly completeTo?: string;
};

/** From the table's own log. An unreadable table gives `tableError`, so that the other tables are still reported. */
export async function freshnessOf(warehouse: Warehouse, table: Table): Promise<Freshness> {
  let state: TableState | undefined;
  try {
    state = await warehouse.readState(table);
  } catch (error) {
    if (!isForeseen(error)) throw error;
    return { tableError: failureOf(error) };
  }
  return state ? committed(state.rows, state.watermark, state.fullReadAt) : {};
}

/** From the last successful run, for a host that has no access to the table. */
export function freshnessAfter(run: EndedRun | undefined): Freshness {
  if (!run) return {};
  const { result, started } = run;
  // The server may have forgotten everything about the run except when it started.
  if (!result) return completeTo(Date.parse(started));
  if (result.unavailable) return {};
  return committed(result.rows, result.watermark, result.fullRead ? Date.parse(started) : undefined);
}

/** The same from the server's list of schedules alone. */
export function freshnessByList({ actions }: ScheduleFacts): Freshness {
  const good = actions.findLast(({ status }) => outcomeByStatus[status] === 'synced');
  return good ? completeTo(good.takenAt.getTime()) : {};
}

function committed(rows: number, watermark: number | undefined, fullReadAt: number | undefined): Freshness {
  const complete = Math.max(watermark ?? 0, fullReadAt ?? 0);
  return {
    rows,
    ...(watermark !== undefined && { watermark: new Date(watermark).toISOString() }),
    ...(fullReadAt !== undefined && { lastFullRead: new Date(fullReadAt).toISOString() }),
    ...(complete > 0 && completeTo(complete)),
  };
}

function completeTo(time: number): Pick<Freshness, 'completeTo' | 'lagSeconds'> {
  return {
    completeTo: new Date(time).toISOString(),
    lagSeconds: Math.max(0, Math.round((Date.now() - time) / 1_000)),
  };
}

/**
 * Whether the server's list and the table agree that all is well: the newest run did not fail, and the table is not
 * late. The list learns that a run has ended when the next one starts, but a table that is complete up to the start of
 * a run was committed by it.
 */
export function isWell(
  { actions, paused }: ScheduleFacts,
  every: Frequency,
  { completeTo, tableError }: Freshness,
): boolean {
  if (tableError || completeTo === undefined) return false;
  const complete = Date.parse(completeTo);
  const newest = actions.at(-1);
  const outcome = newest && outcomeByStatus[newest.status];
  const isCommitted = newest && outcome === undefined && complete >= newest.takenAt.getTime();
  const isGood = !newest || outcome === 'synced' || outcome === 'cancelled' || isCommitted;
  return isGood === true && (paused || Date.now() <= complete + 2 * intervalMs(every));
}

/** Deadline (ms): if the table is not refreshed by then, it is late. */
export async function deadlineOf(
  every: Frequency,
  { createdAt }: ScheduleFacts,
  { completeTo }: Freshness,
  lastGood: SyncTableResult | undefined,
): Promise<number> {
  const from = completeTo === undefined ? (await createdAt()).getTime() : Date.parse(completeTo);
  return from + 2 * intervalMs(every) + (lastGood?.seconds ?? 0) * 1_000;
}
