import { ApplicationFailure, ContinueAsNew, workflowInfo } from '@temporalio/workflow';
import type { Plan, TableRun } from '../activities/contract.ts';
import type { Carried, SyncTableInput, SyncTableResult } from './contract.ts';
import { syncMethodOf, watermarkOf } from './earlier-versions.ts';
import { lookAgain, lookOf } from './second-look.ts';
import { answerProgress, type Announce } from './progress.ts';
import { readWindows } from './read-windows.ts';
import { nest } from './nested.ts';
import { recount } from './recount.ts';
import { resultOf } from './result.ts';
import { activities, keepUp, sweep } from './steps.ts';
import { reportCancelled, reportEnded, reportFailed, reportStarted, reportUnavailable } from './telemetry.ts';
import { becameUnavailable, knownUnavailable, unavailableResult } from './unavailable.ts';
import { planWithParent } from './wait-for-parent.ts';
import { type Reading, startReading } from './windows.ts';

/** The first plan and three more; a run that is overtaken more often has another writer that does not stop. */
const mostPlans = 4;

/** A run that lasted longer asks whose key it is once more before it commits; for a shorter one the plan's answer counts. */
const longRunSeconds = 60;

/**
 * Syncs one table: plan, batches of windows side by side, one commit.
 * Fails with an `ApplicationFailure` whose type is the error's name and whose details hold the advice. However it
 * ends, nothing stays staged.
 */
export async function syncTable(input: SyncTableInput): Promise<SyncTableResult> {
  const chainId = workflowInfo().firstExecutionRunId;
  const identity: TableRun = { ...input.run, chainId, runId: chainId };
  const { table } = identity;
  const timing = input.carried ? carriedTiming(input.carried) : firstTiming();
  const announce = answerProgress(table);
  const { lastResult } = workflowInfo();
  const known = input.carried ? undefined : knownUnavailable(input, lastResult, Date.now());
  if (known) return unavailableResult(input, known, lastResult);
  if (!input.carried) reportStarted(table);
  try {
    const result = await planReadCommit(input, identity, timing, announce);
    reportEnded(result);
    return result;
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const end = await sweep(identity, error);
    const unavailable =
      end instanceof ApplicationFailure ? becameUnavailable(input, end, Date.now()) : undefined;
    if (unavailable) {
      reportUnavailable(table, secondsSince(timing), unavailable);
      return unavailableResult(input, unavailable, lastResult);
    }
    if (end instanceof ApplicationFailure) reportFailed(table, secondsSince(timing), end);
    else reportCancelled(table, secondsSince(timing));
    throw end;
  }
}

/** Plans, reads and commits; does so again, a few times, if another commit came in between. */
async function planReadCommit(
  input: SyncTableInput,
  identity: TableRun,
  timing: Timing,
  announce: Announce,
): Promise<SyncTableResult> {
  const plan = async (planned: number): Promise<Carried> => {
    announce('planning');
    const made = await planTable(input, identity);
    return { plan: made, reading: startReading(made), planned, ...timing };
  };

  let carried = input.carried ?? (await plan(1));
  for (;;) {
    // The plan has read which account the key belongs to; from here on every batch compares.
    const run = { ...identity, account: carried.plan.state.account };
    carried = await readWindows(input, run, carried, announce);
    announce('committing', carried);
    const { plan: made, reading } = carried;
    const { parts, parents } = reading;
    const look = lookOf(carried);
    const isLong = secondsSince(timing) > longRunSeconds && ({ isLong: true } as const);
    const total = totalOf(made, reading);
    const commit = { run, plan: made, parts, ...total, look, ...isLong, ...(parents && { parents }) };
    const outcome = await activities.commitSync(commit);
    if (outcome.status === 'doubtful') {
      carried = await lookAgain(run, carried, outcome);
      continue;
    }
    if (outcome.status !== 'overtaken') {
      announce('done', carried);
      const committed = resultOf(identity.table, carried, outcome, secondsSince(timing));
      const recounted = await recount(run, made, outcome, committed);
      const result = await nest(run, made, outcome, recounted, workflowInfo().lastResult);
      return { ...result, notes: [...result.notes, ...(await keepUp(run, outcome))] };
    }
    await activities.discardStaged({ run });
    if (carried.planned >= mostPlans) {
      throw ApplicationFailure.nonRetryable(
        `${identity.table}: planned ${mostPlans} times and overtaken by another commit each time; the last time: ${outcome.reason}`,
        'OvertakenError',
        { advice: 'Let only one connection write to this destination.' },
      );
    }
    carried = await plan(carried.planned + 1);
  }
}

async function planTable(input: SyncTableInput, run: TableRun): Promise<Plan> {
  const { incrementalField, fullReadEveryMs } = input;
  const syncMethod = syncMethodOf(input);
  const lastWatermark = watermarkOf(workflowInfo().lastResult);
  return planWithParent(run.periodic === true, () =>
    activities.planSync({
      run,
      syncMethod,
      method: syncMethod,
      ...(incrementalField !== undefined && { incrementalField }),
      ...(fullReadEveryMs !== undefined && { fullReadEveryMs }),
      ...(lastWatermark !== undefined && { lastWatermark }),
    }),
  );
}

/** A page's count covers the whole table only if it was asked for with nothing but the revealing filters. */
function totalOf({ fullRead }: Plan, { windowsDone, total }: Reading): { total?: number } {
  return fullRead && windowsDone === 1 && total !== undefined ? { total } : {};
}

type Timing = Required<Pick<Carried, 'began'>> & Pick<Carried, 'queuedSeconds'>;

/** The clock of a workflow stands still within a task, so this is when a worker took the run. */
function firstTiming(): Timing {
  const began = Date.now();
  return { began, queuedSeconds: (began - workflowInfo().startTime.getTime()) / 1_000 };
}

function carriedTiming({ began = workflowInfo().startTime.getTime(), queuedSeconds }: Carried): Timing {
  return { began, ...(queuedSeconds !== undefined && { queuedSeconds }) };
}

function secondsSince({ began }: Timing): number {
  return (Date.now() - began) / 1_000;
}
