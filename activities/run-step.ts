import { Context } from '@temporalio/activity';
import { defined } from '../src/defined.ts';
import { TableUnknownError, UsageError } from '../src/errors.ts';
import type { FairTurns } from '../src/fair-turns.ts';
import type { Call } from '../src/incident-io/client.ts';
import type { Vault } from '../src/settings/key.ts';
import { describeSpan } from '../src/spans.ts';
import { asChild } from '../src/tables/parents.ts';
import type { Table } from '../src/tables/table.ts';
import type { CommitOutcome, Warehouse } from '../src/warehouse/warehouse.ts';
import { type Attempt, attempt } from './attempt.ts';
import { Clients } from './clients.ts';
import type { Extracted, TableRun } from './contract.ts';
import type { Step } from './step.ts';
import { onlyWarehouse, type Warehouses } from './warehouses.ts';

/** A table, and the destination that it is in. */
export type Subject = { readonly table: string; readonly destination: string };

/** Is told what runs do while they do it. */
export type Observer = {
  /** A request was sent, after this many milliseconds at the rate limit. */
  readonly requested: (subject: Subject, waitedMs: number) => void;
  /** A batch ended, after this many seconds; what it read is staged. */
  readonly batched: (subject: Subject, batch: Extracted, seconds: number) => void;
  /** A commit succeeded or was overtaken, after this many seconds. */
  readonly committed: (subject: Subject, outcome: CommitOutcome, seconds: number) => void;
};

/** What activities need from outside, so that a test can provide its own. */
export type Dependencies = {
  /** Throws `UsageError` for a table that does not exist. */
  readonly tableNamed: (name: string) => Table;
  /** Milliseconds for one request to the API; if left out, the client's own limit. */
  readonly requestTimeoutMs?: number;
  /** Looks up keys of the form `{ vault }`. */
  readonly vault?: Vault;
  readonly observer?: Observer;
  /** Batches wait here for their turn, so that one key does not hold up the others; if left out, none waits. */
  readonly batchTurns?: FairTurns;
} & (
  | { /** Of a worker whose queue belongs to one destination. */ readonly warehouse: Warehouse }
  | { readonly warehouses: Warehouses }
);

/** Does the steps of runs. */
export type RunSteps = {
  /** One attempt of a step, with the warehouse of its run. Its requests are reported to the observer. */
  readonly step: <T>(run: TableRun, work: (step: Step, attempt: Attempt) => Promise<T>) => Promise<T>;
  /** Reads a batch when its turn comes. */
  readonly inTurn: <T>(run: TableRun, attempt: Attempt, batch: () => Promise<T>) => Promise<T>;
};

export function runSteps(dependencies: Dependencies): RunSteps {
  const { tableNamed, requestTimeoutMs, vault, observer, batchTurns } = dependencies;
  const warehouses =
    'warehouses' in dependencies ? dependencies.warehouses : onlyWarehouse(dependencies.warehouse);
  const clients = new Clients({
    sourceOf: (run) => warehouses.sourceOf(run),
    ...defined({ timeoutMs: requestTimeoutMs, vault }),
  });
  return {
    step: ({ table, destination, chainId, limits }, work) =>
      attempt(limits.giveUpAfterMs, (tried) => {
        describeSpan({ 'incident_io.table': table, 'incident_io.run': chainId });
        const known = knownTable(tableNamed, table);
        const of = asChild(known);
        const parent = of && knownTable(tableNamed, of.parent.table);
        const origin = { taskQueue: Context.current().info.taskQueue, ...defined({ destination }) };
        return warehouses.use(origin, (warehouse) => {
          const observed = observer ? observedBy(observer, subjectOf(warehouse, table), tried) : tried;
          const call = callOf(observed, limits.giveUpAfterMs);
          return work({ table: known, warehouse, clients, call, ...defined({ parent }) }, observed);
        });
      }),
    inTurn: (run, { signal }, batch) =>
      batchTurns ? batchTurns.take({ owner: clients.ownerOf(run), weight: 1, signal }, batch) : batch(),
  };
}

export function subjectOf({ destination }: Warehouse, table: string): Subject {
  return { table, destination };
}

/** The same attempt, with its requests reported to the observer. */
function observedBy(observer: Observer, subject: Subject, attempt: Attempt): Attempt {
  return {
    ...attempt,
    waited: (ms, refused) => {
      attempt.waited(ms, refused);
      observer.requested(subject, ms);
    },
  };
}

/** Throws `TableUnknownError`, which another worker may not: a deploy goes worker by worker. */
function knownTable(tableNamed: Dependencies['tableNamed'], name: string): Table {
  try {
    return tableNamed(name);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new TableUnknownError(`This worker does not know the table ${name}.`, { cause: error });
  }
}

function callOf({ signal, waited, waitsUntil }: Attempt, patienceMs: number): Call {
  return {
    signal,
    patienceMs,
    onRequest: ({ waitedMs, refused }) => waited(waitedMs, refused),
    onRefused: waitsUntil,
  };
}
