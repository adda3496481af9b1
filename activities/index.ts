import { Context } from '@temporalio/activity';
import type { Call } from '../src/incident-io/client.ts';
import { TableUnknownError, UsageError } from '../src/errors.ts';
import type { Vault } from '../src/settings/key.ts';
import { describeSpan } from '../src/spans.ts';
import type { Table } from '../src/tables/table.ts';
import type { CommitOutcome, Warehouse } from '../src/warehouse/warehouse.ts';
import { type Attempt, attempt } from './attempt.ts';
import { Clients } from './clients.ts';
import { commitSync } from './commit-sync.ts';
import type { Activities, Extracted, TableRun } from './contract.ts';
import { withEarlierNames } from './earlier-versions.ts';
import { extractBatch } from './extract-batch.ts';
import { planSync } from './plan-sync.ts';
import { batchFacts, commitFacts, planFacts } from './span-facts.ts';

/** Told of what runs do, as it happens. */
export type Observer = {
  /** A request was sent, after so many milliseconds at the rate limit. */
  readonly requested: (table: string, waitedMs: number) => void;
  /** A batch ended, after so many seconds; what it read is staged. */
  readonly batched: (table: string, batch: Extracted, seconds: number) => void;
  /** A commit was decided, whatever way, after so many seconds. */
  readonly committed: (table: string, outcome: CommitOutcome, seconds: number) => void;
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
  tableNamed: lookUp,
  warehouse,
  requestTimeoutMs,
  vault,
  observer,
}: Dependencies): Activities {
  const clients = new Clients(requestTimeoutMs, vault);
  const tableNamed = (name: string): Table => {
    try {
      return lookUp(name);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new TableUnknownError(`This worker does not know the table ${name}.`, { cause: error });
    }
  };
  /** An attempt of one of the run's steps, whose requests the observer hears of. */
  const step = <T>(
    { table, chainId, limits }: TableRun,
    work: (attempt: Attempt) => Promise<T>,
  ): Promise<T> =>
    attempt(limits.giveUpAfterMs, ({ signal, waited }) => {
      describeSpan({ 'incident_io.table': table, 'incident_io.run': chainId });
      return work({
        signal,
        waited: (ms) => {
          waited(ms);
          observer?.requested(table, ms);
        },
      });
    });
  return withEarlierNames({
    planSync: (input) =>
      step(input.run, async (attempt) => {
        const { table } = input.run;
        const plan = await planSync(input, tableNamed(table), warehouse, clients, callOf(attempt));
        describeSpan(planFacts(plan));
        return plan;
      }),
    extractBatch: (input) =>
      step(input.run, async (attempt) => {
        const { table } = input.run;
        const seconds = stopwatch();
        const batch = await extractBatch(
          input,
          tableNamed(table),
          warehouse,
          clients,
          attempt,
          shuttingDown(),
        );
        describeSpan(batchFacts(input, batch));
        observer?.batched(table, batch, seconds());
        return batch;
      }),
    commitSync: (input) =>
      step(input.run, async (attempt) => {
        const { table } = input.run;
        const seconds = stopwatch();
        const outcome = await commitSync(input, tableNamed(table), warehouse, clients, callOf(attempt));
        describeSpan(commitFacts(outcome));
        observer?.committed(table, outcome, seconds());
        return outcome;
      }),
    discardStaged: ({ run }) => step(run, () => warehouse.discardStaged(tableNamed(run.table), run.chainId)),
    keepUp: ({ run, since }) =>
      step(run, ({ signal }) => warehouse.keepUp(tableNamed(run.table), since, signal)),
  });
}

function callOf({ signal, waited }: Attempt): Call {
  return { signal, onRequest: ({ waitedMs }) => waited(waitedMs) };
}

/** Seconds since this call. */
function stopwatch(): () => number {
  const began = performance.now();
  return () => (performance.now() - began) / 1_000;
}

/** Whether this worker is going down: what was read is then handed over, not thrown away. */
function shuttingDown(): () => boolean {
  const context = Context.current();
  return () => context.cancellationDetails?.workerShutdown === true;
}
