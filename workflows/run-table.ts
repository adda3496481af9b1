import type { Plan, TableRun } from '../activities/contract.ts';
import type { Carried, SyncTableInput, SyncTableResult } from './contract.ts';
import { syncMethodOf } from './earlier-versions.ts';
import type { RunHost } from './host.ts';
import { readWindows } from './read-windows.ts';
import { recount } from './recount.ts';
import { resultOf } from './result.ts';
import { RunFailure } from './run-failure.ts';
import { lookAgain, lookOf } from './second-look.ts';
import { type Reading, startReading } from './windows.ts';

/** The first plan and three more; a run that is overtaken more often has another writer that does not stop. */
const mostPlans = 4;

/** A run that lasted longer asks whose key it is once more before it commits; for a shorter one the plan's answer counts. */
const longRunSeconds = 60;

export type Timing = Required<Pick<Carried, 'began'>> & Pick<Carried, 'queuedSeconds'>;

/** Plans, reads and commits; does so again, a few times, if another commit came in between. */
export async function runTable(
  host: RunHost,
  input: SyncTableInput,
  identity: TableRun,
  timing: Timing,
): Promise<SyncTableResult> {
  const plan = async (planned: number): Promise<Carried> => {
    host.announce('planning');
    const made = await planTable(host, input, identity);
    return { plan: made, reading: startReading(made), planned, ...timing };
  };

  let carried = input.carried ?? (await plan(1));
  for (;;) {
    // The plan has read which account the key belongs to; from here on every batch compares.
    const run = { ...identity, account: carried.plan.state.account };
    carried = await readWindows(host, run, carried);
    host.announce('committing', carried);
    const { plan: made, reading } = carried;
    const { parts, parents } = reading;
    const look = lookOf(carried);
    const isLong = secondsSince(timing) > longRunSeconds && ({ isLong: true } as const);
    const total = totalOf(made, reading);
    const commit = { run, plan: made, parts, ...total, look, ...isLong, ...(parents && { parents }) };
    const outcome = await host.activities.commitSync(commit);
    if (outcome.status === 'doubtful') {
      carried = await lookAgain(host, run, carried, outcome);
      continue;
    }
    if (outcome.status !== 'overtaken') {
      host.announce('done', carried);
      const committed = resultOf(identity.table, carried, outcome, secondsSince(timing));
      const recounted = await recount(host, run, made, outcome, committed);
      const result = await host.nest(run, made, outcome, recounted);
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
    carried = await plan(carried.planned + 1);
  }
}

async function planTable(
  { activities, lastWatermark, planning }: RunHost,
  input: SyncTableInput,
  run: TableRun,
): Promise<Plan> {
  const { incrementalField, fullReadEveryMs } = input;
  const syncMethod = syncMethodOf(input);
  return planning(run, () =>
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

export function secondsSince({ began }: Timing): number {
  return (Date.now() - began) / 1_000;
}
