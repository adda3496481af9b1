import type { Extracted, Plan, TableRun, WindowBatch } from '../activities/contract.ts';
import type { Carried } from './contract.ts';
import type { RunHost } from './host.ts';
import { isTooManyLeft } from './parents.ts';
import { RunFailure } from './run-failure.ts';
import { afterBatch, batchOf, fromPlan, type Reading, windowsAtOnce } from './windows.ts';

/**
 * Reads all open windows, several side by side. Once the history has grown long it starts no further batch, waits
 * for those in flight, and continues as new.
 * @returns the same run with everything read.
 */
export async function readWindows(host: RunHost, run: TableRun, carried: Carried): Promise<Carried> {
  let { reading } = carried;
  const inFlight = new Map<number, Promise<WindowBatch>>();
  return host.cancelling(async (cancel) => {
    try {
      while (reading.open.length > 0) {
        host.announce('reading', { ...carried, reading });
        if (host.mayStartBatches()) startBatches(host, run, carried.plan, reading, inFlight);
        if (inFlight.size === 0) await host.continueLater({ ...carried, reading });
        const { windowId, extracted } = await Promise.race(inFlight.values());
        inFlight.delete(windowId);
        reading = nextReading(run.table, reading, windowId, extracted);
      }
      return { ...carried, reading };
    } catch (error) {
      // The other windows must have stopped before their staging is deleted.
      cancel();
      await Promise.allSettled(inFlight.values());
      throw error;
    }
  });
}

/** Starts the next batch of open windows that have none in flight, up to the limit. */
function startBatches(
  { activities }: RunHost,
  run: TableRun,
  plan: Plan,
  reading: Reading,
  inFlight: Map<number, Promise<WindowBatch>>,
): void {
  const idle = reading.open.map(({ window }) => window.id).filter((id) => !inFlight.has(id));
  for (const windowId of idle.slice(0, windowsAtOnce - inFlight.size)) {
    const batch = activities.extractBatch({
      run,
      ...batchOf(reading, windowId),
      ...fromPlan(plan),
    });
    inFlight.set(
      windowId,
      batch.then((extracted) => ({ windowId, extracted })),
    );
  }
}

/** The reading after a batch; fails the run if the window's cursor has failed too often. */
function nextReading(table: string, reading: Reading, windowId: number, extracted: Extracted): Reading {
  const next = afterBatch(reading, windowId, extracted);
  if ('exhausted' in next) {
    throw new RunFailure(
      'CursorRejectedError',
      `${table}: ${next.exhausted}`,
      'Sync the table again; if it happens again, report it to incident.io.',
    );
  }
  assertFewLeft(table, next);
  return next;
}

/** Fails the run if too many parents could not be read. */
export function assertFewLeft(table: string, { parents, notes }: Reading): void {
  if (!parents || !isTooManyLeft(parents)) return;
  throw new RunFailure(
    'ApiUnavailableError',
    `${table}: ${parents.left.length} parents could not be read; the last reason: ${notes.at(-1) ?? 'unknown'}`,
    'Check the status page of incident.io, then try again; scheduled runs retry by themselves.',
  );
}
