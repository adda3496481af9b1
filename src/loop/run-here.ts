import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LimitFunction } from 'p-limit';
import type { Attempt } from '../../activities/attempt.ts';
import type { Clients } from '../../activities/clients.ts';
import { commitSync } from '../../activities/commit-sync.ts';
import type { TableRun } from '../../activities/contract.ts';
import { extractBatch } from '../../activities/extract-batch.ts';
import { extractChildren } from '../../activities/extract-children.ts';
import { planSync } from '../../activities/plan-sync.ts';
import { recountSync } from '../../activities/recount-sync.ts';
import type { Step } from '../../activities/step.ts';
import type { SyncTableInput, SyncTableResult } from '../../workflows/contract.ts';
import type { CommitOutcome, RunHost } from '../../workflows/host.ts';
import { upkeepLeft } from '../../workflows/result.ts';
import { runTable } from '../../workflows/run-table.ts';
import type { Call } from '../incident-io/client.ts';
import type { Table } from '../tables/table.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { retrying } from './retrying.ts';

/** What a run in this process needs. */
export type Here = {
  readonly table: Table;
  /** The table by whose rows it is read, if there is one and it is in the warehouse. */
  readonly parent?: Table;
  readonly warehouse: Warehouse;
  readonly clients: Clients;
  /** Ends the run; what it had staged is deleted. */
  readonly signal: AbortSignal;
  /** How many batches of all tables are read at the same time. */
  readonly batches: LimitFunction;
  /** The table outlives the run: it is counted and kept tidy. */
  readonly isKept: boolean;
  readonly onWait: (until?: number) => void;
};

/**
 * Syncs one table in this process, without Temporal: the same steps in the same order, decided by the same code as the
 * workflow `syncTable`. Nothing resumes it if the process dies: what was not committed is read again by the next run.
 * Throws what the failed step threw, or `RunFailure`. However it ends, nothing stays staged.
 */
export async function runHere(input: SyncTableInput, here: Here): Promise<SyncTableResult> {
  const { table, warehouse, signal } = here;
  const identity: TableRun = { ...input.run, chainId: randomUUID() };
  const stop = new AbortController();
  const stopping = AbortSignal.any([signal, stop.signal]);
  // Each of the requests sent side by side adds a listener for as long as it lasts.
  setMaxListeners(0, stopping);
  const host = hostOf(identity, here, stopping, () => stop.abort());
  try {
    return await runTable(host, input, identity, { began: Date.now() });
  } catch (error) {
    await warehouse.discardStaged(table, identity.chainId);
    throw error;
  }
}

function hostOf(identity: TableRun, here: Here, signal: AbortSignal, cancel: () => void): RunHost {
  const { isKept, onWait, warehouse, table } = here;
  const { giveUpAfterMs } = identity.limits;
  const attempts: Attempts = (work) =>
    retrying({ signal, giveUpAfterMs, onWait }, (attempt) =>
      work(attempt, stepOf(here, attempt, giveUpAfterMs)),
    );
  return {
    activities: activitiesOf(here, attempts),
    // There is no history to keep short.
    quickSync: undefined,
    lastWatermark: undefined,
    announce: () => undefined,
    planning: (_run, plan) => plan(),
    sleep: (ms) => sleep(ms, undefined, { signal }),
    mayStartBatches: () => true,
    continueLater: () => Promise.reject(new Error('a run without a history does not continue as new')),
    cancelling: (work) => work(cancel),
    recountSync: () =>
      isKept ? (input) => attempts((attempt, step) => recountSync(input, step, attempt)) : undefined,
    // Platforms do not get nested tables.
    nest: (_run, _plan, _outcome, result) => Promise.resolve(result),
    keepUp: (_run, outcome) => (isKept ? keepUp(warehouse, table, outcome, signal) : Promise.resolve([])),
    isCancellation: () => signal.aborted,
    explain: messageOf,
  };
}

/** Does a step, again if that may help. */
type Attempts = <T>(work: (attempt: Attempt, step: Step) => Promise<T>) => Promise<T>;

function activitiesOf(
  { table, parent, warehouse, clients, batches }: Here,
  attempts: Attempts,
): RunHost['activities'] {
  return {
    planSync: (input) => attempts((_attempt, step) => planSync(input, step)),
    extractBatch: (input) =>
      batches(() =>
        attempts((attempt) => {
          const world = { table, warehouse, clients, attempt, stopping: () => false };
          return parent && input.window.parents
            ? extractChildren(input, { ...world, parent })
            : extractBatch(input, world);
        }),
      ),
    commitSync: (input) => attempts((_attempt, step) => commitSync(input, step)),
    discardStaged: ({ run }) => warehouse.discardStaged(table, run.chainId),
  };
}

function stepOf(
  { table, parent, warehouse, clients }: Here,
  { signal, waited, waitsUntil }: Attempt,
  patienceMs: number,
): Step {
  const onRequest: Call['onRequest'] = ({ waitedMs, refused }) => waited(waitedMs, refused);
  return {
    table,
    ...(parent && { parent }),
    warehouse,
    clients,
    call: { signal, patienceMs, onRequest, onRefused: waitsUntil },
  };
}

async function keepUp(
  warehouse: Warehouse,
  table: Table,
  outcome: CommitOutcome,
  signal: AbortSignal,
): Promise<string[]> {
  if (outcome.status !== 'committed' || outcome.upkeepSince === undefined) return [];
  try {
    await warehouse.keepUp(table, outcome.upkeepSince, signal);
    return [];
  } catch (error) {
    // The rows are committed: the next run's upkeep continues.
    return [upkeepLeft(messageOf(error))];
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
