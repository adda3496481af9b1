import { ApplicationFailure, Context } from '@temporalio/activity';
import { defined } from '../src/defined.ts';
import type { Call } from '../src/incident-io/client.ts';
import { DestinationNotServedError, TableUnknownError, UsageError } from '../src/errors.ts';
import type { Vault } from '../src/settings/key.ts';
import type { FairTurns } from '../src/fair-turns.ts';
import { describeSpan } from '../src/spans.ts';
import { asChild } from '../src/tables/parents.ts';
import { nestedIn } from '../src/tables/nested/index.ts';
import type { Table } from '../src/tables/table.ts';
import type { CommitOutcome, Warehouse } from '../src/warehouse/warehouse.ts';
import { type Attempt, attempt } from './attempt.ts';
import { Clients } from './clients.ts';
import { commitSync } from './commit-sync.ts';
import type { Activities, Extracted, Plan, TableRun } from './contract.ts';
import { withEarlierNames } from './earlier-versions.ts';
import { extractBatch } from './extract-batch.ts';
import { extractChildren } from './extract-children.ts';
import { planSync } from './plan-sync.ts';
import { quickSync } from './quick-sync.ts';
import { batchFacts, commitFacts, planFacts } from './span-facts.ts';
import { recountSync } from './recount-sync.ts';
import type { Step } from './step.ts';
import { updateNested } from './update-nested.ts';
import { onlyWarehouse, type Warehouses } from './warehouses.ts';

/** A table, and the destination that it is in. */
export type Subject = { readonly table: string; readonly destination: string };

/** Is told what runs do, as it happens. */
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
  /** Batches wait here for their turn, so that one key's do not hold up those of others; if left out, none waits. */
  readonly batchTurns?: FairTurns;
} & (
  | { /** Of a worker whose queue belongs to one destination. */ readonly warehouse: Warehouse }
  | { readonly warehouses: Warehouses }
);

/** The steps of a sync, as Temporal retries them. Each is safe to do twice. */
export function createActivities(dependencies: Dependencies): Activities {
  const { tableNamed, requestTimeoutMs, vault, observer, batchTurns } = dependencies;
  const warehouses =
    'warehouses' in dependencies ? dependencies.warehouses : onlyWarehouse(dependencies.warehouse);
  const clients = new Clients({
    sourceOf: (run) => warehouses.sourceOf(run),
    ...defined({ timeoutMs: requestTimeoutMs, vault }),
  });
  /** One attempt of a step, whose requests are reported to the observer. */
  const step = <T>(
    { table, destination, chainId, limits }: TableRun,
    work: (step: Step, attempt: Attempt) => Promise<T>,
  ): Promise<T> =>
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
    });
  const inTurn = <T>(run: TableRun, { signal }: Attempt, batch: () => Promise<T>): Promise<T> =>
    batchTurns ? batchTurns.take({ owner: clients.ownerOf(run), weight: 1, signal }, batch) : batch();
  return withEarlierNames({
    quickSync: (input) =>
      step(input.run, async (step, attempt) => {
        const seconds = stopwatch();
        const quick = await quickSync(input, { ...step, attempt, stopping: shuttingDown() });
        const { plan, batches, outcome } = quick;
        describeSpan(planFacts(plan));
        const subject = subjectOf(step.warehouse, step.table.name);
        for (const { extracted } of batches) observer?.batched(subject, extracted, seconds());
        if (outcome) {
          describeSpan(commitFacts(outcome));
          observer?.committed(subject, outcome, seconds());
        }
        return { ...quick, plan: withNested(input.run, plan) };
      }),
    planSync: (input) =>
      step(input.run, async (step) => {
        const plan = await planSync(input, step);
        describeSpan(planFacts(plan));
        return withNested(input.run, plan);
      }),
    extractBatch: (input) =>
      step(input.run, ({ table, parent, warehouse }, attempt) =>
        inTurn(input.run, attempt, async () => {
          const seconds = stopwatch();
          const world = { table, warehouse, clients, attempt, stopping: shuttingDown() };
          const batch = await (parent && input.window.parents
            ? extractChildren(input, { ...world, parent })
            : extractBatch(input, world));
          describeSpan(batchFacts(input, batch));
          observer?.batched(subjectOf(warehouse, table.name), batch, seconds());
          return batch;
        }),
      ),
    commitSync: (input) =>
      step(input.run, async (step) => {
        const seconds = stopwatch();
        const outcome = await commitSync(input, step);
        describeSpan(commitFacts(outcome));
        observer?.committed(subjectOf(step.warehouse, step.table.name), outcome, seconds());
        return outcome;
      }),
    recountSync: (input) => step(input.run, async (step, attempt) => recountSync(input, step, attempt)),
    updateNested: ({ run, tables }) =>
      step(run, ({ table, warehouse }, attempt) => {
        const nested = nestedIn(table.name).filter(({ name }) => tables.includes(name));
        const seconds = stopwatch();
        return updateNested({ run }, nested, { table, warehouse }, attempt, (name, outcome) =>
          observer?.committed(subjectOf(warehouse, name), outcome, seconds()),
        );
      }),
    discardStaged: ({ run }) =>
      step(run, ({ table, warehouse }) => warehouse.discardStaged(table, run.chainId)).catch(unlessRefused),
    keepUp: ({ run, since }) =>
      step(run, ({ table, warehouse }, { signal }) => warehouse.keepUp(table, since, signal)),
  });
}

/** The plan with the names of the nested tables that come with the table. */
function withNested({ table, withoutNested }: TableRun, plan: Plan): Plan {
  const nested = withoutNested ? [] : nestedIn(table).map(({ name }) => name);
  return { ...plan, ...(nested.length > 0 && { nested }) };
}

/** A run whose destination was refused has staged nothing, and its failure says so already. */
function unlessRefused(error: unknown): void {
  const isRefused =
    error instanceof ApplicationFailure &&
    error.type === DestinationNotServedError.name &&
    error.nonRetryable === true;
  if (!isRefused) throw error;
}

function subjectOf({ destination }: Warehouse, table: string): Subject {
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

/** Measures the seconds since this call. */
function stopwatch(): () => number {
  const began = performance.now();
  return () => (performance.now() - began) / 1_000;
}

/** Tells whether this worker is shutting down: the batch then hands over what it has read instead of losing it. */
function shuttingDown(): () => boolean {
  const context = Context.current();
  return () => context.cancellationDetails?.workerShutdown === true;
}
