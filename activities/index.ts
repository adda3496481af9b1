import { Context } from '@temporalio/activity';
import type { Call } from '../src/incident-io/client.ts';
import type { Vault } from '../src/key.ts';
import type { Table } from '../src/tables/table.ts';
import type { Warehouse } from '../src/warehouse/warehouse.ts';
import { type Attempt, attempt } from './attempt.ts';
import { Clients } from './clients.ts';
import { commitSync } from './commit-sync.ts';
import type { Activities } from './contract.ts';
import { extractBatch } from './extract-batch.ts';
import { planSync } from './plan-sync.ts';

/** What activities need from the outside, so that a test can hand in its own. */
export type Dependencies = {
  readonly tableNamed: (name: string) => Table;
  /** A worker serves the queue of one destination, so it has one warehouse. */
  readonly warehouse: Warehouse;
  /** Milliseconds for one request to the API. */
  readonly requestTimeoutMs?: number;
  /** Where keys of the form `{ vault }` are looked up. */
  readonly vault?: Vault;
};

/** The steps of a sync as Temporal retries them. Each is safe to do twice. */
export function createActivities({
  tableNamed,
  warehouse,
  requestTimeoutMs,
  vault,
}: Dependencies): Activities {
  const clients = new Clients(requestTimeoutMs, vault);
  return {
    planSync: (input) =>
      attempt(input.run.limits.giveUpAfterMs, (attempt) =>
        planSync(input, tableNamed(input.run.table), warehouse, clients, callOf(attempt)),
      ),
    extractBatch: (input) =>
      attempt(input.run.limits.giveUpAfterMs, (attempt) =>
        extractBatch(input, tableNamed(input.run.table), warehouse, clients, attempt, shuttingDown()),
      ),
    commitSync: (input) =>
      attempt(input.run.limits.giveUpAfterMs, (attempt) =>
        commitSync(input, tableNamed(input.run.table), warehouse, clients, callOf(attempt)),
      ),
    discardStaged: ({ run }) =>
      attempt(run.limits.giveUpAfterMs, () => warehouse.discardStaged(tableNamed(run.table), run.runId)),
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
