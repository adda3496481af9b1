import { ApplicationFailure, Context } from '@temporalio/activity';
import { DestinationNotServedError } from '../src/errors.ts';
import { describeSpan } from '../src/spans.ts';
import { nestedIn } from '../src/tables/nested/index.ts';
import { commitSync } from './commit-sync.ts';
import type { Activities, Plan, TableRun } from './contract.ts';
import { withEarlierNames } from './earlier-versions.ts';
import { extractBatch } from './extract-batch.ts';
import { extractChildren } from './extract-children.ts';
import { inLocalTime } from './local-time.ts';
import { planSync } from './plan-sync.ts';
import { quickSync } from './quick-sync.ts';
import { recountSync } from './recount-sync.ts';
import { type Dependencies, runSteps, subjectOf } from './run-step.ts';
import { batchFacts, commitFacts, planFacts } from './span-facts.ts';
import { shuttingDown } from './stopping.ts';
import { updateNested } from './update-nested.ts';

export type { Dependencies, Observer, Subject } from './run-step.ts';

/** The steps of a sync, as Temporal retries them. Each is safe to do twice. */
export function createActivities(dependencies: Dependencies): Activities {
  const { observer } = dependencies;
  const { step, inTurn } = runSteps(dependencies);
  return withEarlierNames({
    quickSync: (input) =>
      step(input.run, async (step, attempt) => {
        const seconds = stopwatch();
        const stopping = shuttingDown();
        const { isLocal } = Context.current().info;
        const quick = await inLocalTime(step, attempt, stopping, (step, attempt) =>
          quickSync(input, { ...step, attempt, stopping, isLocal }),
        );
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
      step(input.run, ({ table, parent, warehouse, clients }, attempt) =>
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

/** Measures the seconds since this call. */
function stopwatch(): () => number {
  const began = performance.now();
  return () => (performance.now() - began) / 1_000;
}
