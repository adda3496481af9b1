import { Context } from '@temporalio/activity';
import type { Call } from '../src/incident-io/client.ts';
import type { Vault } from '../src/key.ts';
import type { Table } from '../src/tables/table.ts';
import type { Warehouse } from '../src/warehouse/warehouse.ts';
import { type Attempt, attempt } from './attempt.ts';
import { Clients } from './clients.ts';
import { commitSync } from './commit-sync.ts';
import type { Activities, TableRun } from './contract.ts';
import { extractBatch } from './extract-batch.ts';
import { planSync } from './plan-sync.ts';

/** Told of what runs do, as it happens. */
export type Observer = {
  /** A request was sent, after so many milliseconds at the rate limit. */
  readonly requested: (table: string, waitedMs: number) => void;
  /** A batch staged so many rows. */
  readonly staged: (table: string, rows: number) => void;
};

/** What activities need from the outside, so that a test can hand in its own. */
export type Dependencies = {
  readonly tableNamed: (name: string) => Table;
  /** A worker serves the queue of one destination, so it has one warehouse. */
  readonly warehouse: Warehouse;
  /** Milliseconds for one request to the API. */
  readonly requestTimeoutMs?: number;
  /** Where keys of the form `{ vault }` are looked up. */
  readonly vault?: Vault;
  readonly observer?: Observer;
};

/** The steps of a sync as Temporal retries them. Each is safe to do twice. */
export function createActivities({
  tableNamed,
  warehouse,
  requestTimeoutMs,
  vault,
  observer,
}: Dependencies): Activities {
  const clients = new Clients(requestTimeoutMs, vault);
  /** An attempt of one of the run's steps, whose requests the observer hears of. */
  const step = <T>({ table, limits }: TableRun, work: (attempt: Attempt) => Promise<T>): Promise<T> =>
    attempt(limits.giveUpAfterMs, ({ signal, waited }) =>
      work({
        signal,
        waited: (ms) => {
          waited(ms);
          observer?.requested(table, ms);
        },
      }),
    );
  return {
    planSync: (input) =>
      step(input.run, (attempt) =>
        planSync(input, tableNamed(input.run.table), warehouse, clients, callOf(attempt)),
      ),
    extractBatch: (input) =>
      step(input.run, async (attempt) => {
        const { table } = input.run;
        const batch = await extractBatch(
          input,
          tableNamed(table),
          warehouse,
          clients,
          attempt,
          shuttingDown(),
        );
        observer?.staged(table, batch.part?.rows ?? 0);
        return batch;
      }),
    commitSync: (input) =>
      step(input.run, (attempt) =>
        commitSync(input, tableNamed(input.run.table), warehouse, clients, callOf(attempt)),
      ),
    discardStaged: ({ run }) => step(run, () => warehouse.discardStaged(tableNamed(run.table), run.runId)),
    keepUp: ({ run, since }) =>
      step(run, ({ signal }) => warehouse.keepUp(tableNamed(run.table), since, signal)),
  };
}

function callOf({ signal, waited }: Attempt): Call {
  return { signal, onRequest: ({ waitedMs }) => waited(waitedMs) };
}

/** Whether this worker is going down: what was read is then handed over, not thrown away. */
function shuttingDown(): () => boolean {
  const context = Context.current();
  return () => context.cancellationDetails?.workerShutdown === true;
}
