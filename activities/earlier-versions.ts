import type { Activities, PlanInput, TableRun } from './contract.ts';

type Input = { readonly run: TableRun } & Partial<Pick<PlanInput, 'syncMethod' | 'method'>>;

/**
 * The same activities, which then also understand workflows on workers older than version 0.2. Those say `runId` for
 * `chainId` and `method` for `syncMethod`; without this, their parts would be staged without a name.
 */
export function withEarlierNames(activities: Activities): Activities {
  return {
    planSync: (input) => activities.planSync(renamed(input)),
    extractBatch: (input) => activities.extractBatch(renamed(input)),
    commitSync: (input) => activities.commitSync(renamed(input)),
    // Workflows of earlier versions do not know these three.
    quickSync: (input) => activities.quickSync(input),
    recountSync: (input) => activities.recountSync(input),
    updateNested: (input) => activities.updateNested(input),
    discardStaged: (input) => activities.discardStaged(renamed(input)),
    keepUp: (input) => activities.keepUp(renamed(input)),
  };
}

function renamed<I extends Input>(input: I): I {
  const { run, syncMethod = input.method } = input;
  const { chainId = run.runId } = run as Partial<Pick<TableRun, 'chainId'>> & Omit<TableRun, 'chainId'>;
  return { ...input, run: { ...run, chainId }, ...(syncMethod !== undefined && { syncMethod }) };
}
