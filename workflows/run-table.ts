import type { PlanInput, TableRun } from '../activities/contract.ts';
import { commitOf, longRunSeconds } from './commit-of.ts';
import type { Carried, SyncTableInput, SyncTableResult } from './contract.ts';
import { syncMethodOf } from './earlier-versions.ts';
import type { CommitOutcome, RunHost } from './host.ts';
import { assertFewLeft, readWindows } from './read-windows.ts';
import { recount } from './recount.ts';
import { resultOf } from './result.ts';
import { RunFailure } from './run-failure.ts';
import { lookAgain, lookOf } from './second-look.ts';
import { readingAfter, startReading } from './windows.ts';

/** The first plan and three more; a run that is overtaken more often has another writer that does not stop. */
const mostPlans = 4;

export type Timing = Required<Pick<Carried, 'began'>> & Pick<Carried, 'queuedSeconds'>;

/** A run that was planned, and its outcome if it was small enough to be committed already. */
type Begun = { readonly carried: Carried; readonly outcome?: CommitOutcome };

/** Plans, reads and commits, and starts over a few times if another commit came in between. */
export async function runTable(
  host: RunHost,
  input: SyncTableInput,
  identity: TableRun,
  timing: Timing,
): Promise<SyncTableResult> {
  let begun: Begun = input.carried ? { carried: input.carried } : await begin(host, input, identity, timing);
  for (;;) {
    // The plan has read which account the key belongs to; from here on every batch compares.
    const run = { ...identity, account: begun.carried.plan.state.account };
    const { carried, outcome } = await finish(host, run, begun, timing);
    if (outcome.status === 'doubtful') {
      begun = { carried: await lookAgain(host, run, carried, outcome) };
      continue;
    }
    if (outcome.status !== 'overtaken') {
      host.announce('done', carried);
      const committed = resultOf(identity.table, carried, outcome, secondsSince(timing));
      const recounted = await recount(host, run, carried.plan, outcome, committed);
      const result = await host.nest(run, carried.plan, outcome, recounted);
      return { ...result, notes: [...result.notes, ...(await host.keepUp(run, outcome))] };
    }
    await host.activities.discardStaged({ run });
    if (carried.planned >= mostPlans) {
      throw new RunFailure(
        'OvertakenError',
        `${identity.table}: planned ${mostPlans} times and overtaken by another commit each time; the last time: ${outcome.reason}`,
        'Let only one connection write to this destination.',
      );
    }
    begun = { carried: await plan(host, input, identity, timing, carried.planned + 1) };
  }
}

/** Plans the run, and does all of it at once if it is small and the host can. */
async function begin(
  host: RunHost,
  input: SyncTableInput,
  identity: TableRun,
  timing: Timing,
): Promise<Begun> {
  const { quickSync } = host;
  if (!quickSync) return { carried: await plan(host, input, identity, timing, 1) };
  // Most of the step is reading, and it cannot report where it is.
  host.announce('reading');
  const quick = await host.planning(identity, () => quickSync(planInputOf(host, input, identity)));
  const reading = readingAfter(quick.plan, quick.batches);
  assertFewLeft(identity.table, reading);
  const carried = { plan: quick.plan, reading, planned: 1, ...timing };
  return { carried, ...(quick.outcome && { outcome: quick.outcome }) };
}

async function plan(
  host: RunHost,
  input: SyncTableInput,
  identity: TableRun,
  timing: Timing,
  planned: number,
): Promise<Carried> {
  host.announce('planning');
  const made = await host.planning(identity, () =>
    host.activities.planSync(planInputOf(host, input, identity)),
  );
  return { plan: made, reading: startReading(made), planned, ...timing };
}

/** Reads the rest and commits it. */
async function finish(host: RunHost, run: TableRun, begun: Begun, timing: Timing): Promise<Required<Begun>> {
  if (begun.outcome) return { carried: begun.carried, outcome: begun.outcome };
  const carried = await readWindows(host, run, begun.carried);
  host.announce('committing', carried);
  const isLong = secondsSince(timing) > longRunSeconds;
  const outcome = await host.activities.commitSync({
    run,
    ...commitOf(carried.plan, carried.reading),
    look: lookOf(carried),
    ...(isLong && { isLong }),
  });
  return { carried, outcome };
}

function planInputOf({ lastWatermark }: RunHost, input: SyncTableInput, run: TableRun): PlanInput {
  const { incrementalField, fullReadEveryMs } = input;
  const syncMethod = syncMethodOf(input);
  return {
    run,
    syncMethod,
    method: syncMethod,
    ...(incrementalField !== undefined && { incrementalField }),
    ...(fullReadEveryMs !== undefined && { fullReadEveryMs }),
    ...(lastWatermark !== undefined && { lastWatermark }),
  };
}

export function secondsSince({ began }: Timing): number {
  return (Date.now() - began) / 1_000;
}
