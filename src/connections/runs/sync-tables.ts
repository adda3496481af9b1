import type { SyncTableInput } from '../../../workflows/contract.ts';
import type { Serving } from '../../serving/serve.ts';
import { followProgress, type OnProgress } from './follow-progress.ts';
import { parentsFirst, withoutParents } from '../parents-first.ts';
import { cancelRun, outcomeOf, type RunOutcome } from './runs.ts';
import { startRun, type StartedRun } from './start-run.ts';

/** How a command follows its runs. */
export type Watcher = {
  /** Called when runs are started or taken up: first those of all tables that wait for no other one. */
  readonly onStart: (runs: readonly StartedRun[]) => void;
  readonly onProgress: OnProgress;
  readonly onOutcome: (outcome: RunOutcome) => void;
  /** Cancels the runs; they delete what they had staged before the function returns. */
  readonly interrupt: AbortSignal;
};

/**
 * Runs tables at the same time, each in a workflow of its own, and waits for all of them. A table that is read by the
 * rows of another one begins when that has ended. A table's failure does not stop the others.
 */
export async function syncTables(
  { client, taskQueue }: Pick<Serving, 'client' | 'taskQueue'>,
  destination: string,
  inputs: readonly SyncTableInput[],
  { onStart, onProgress, onOutcome, interrupt }: Watcher,
): Promise<RunOutcome[]> {
  const start = (input: SyncTableInput) => startRun(client, taskQueue, destination, input);
  const first = await Promise.all(withoutParents(inputs).map(start));
  onStart(first);
  const started = new Map(first.map((run) => [run.table, run]));

  const open = new Set(first);
  const cancelAll = () => Promise.all([...open].map(({ handle }) => cancelRun(client, handle.workflowId)));
  const cancelled = new Promise<void>((resolve, reject) => {
    const cancel = () => void cancelAll().then(() => resolve(), reject);
    if (interrupt.aborted) cancel();
    else interrupt.addEventListener('abort', cancel, { once: true });
  });

  const begun = async (input: SyncTableInput): Promise<StartedRun | undefined> => {
    if (interrupt.aborted) return undefined;
    const run = await start(input);
    onStart([run]);
    open.add(run);
    // The interrupt may have come while the run was being started.
    if (interrupt.aborted) await cancelRun(client, run.handle.workflowId);
    return run;
  };
  const all = Promise.all(
    parentsFirst(inputs, async (input): Promise<RunOutcome> => {
      const { table } = input.run;
      const run = started.get(table) ?? (await begun(input));
      const outcome = run ? await outcomeOf(run) : ({ table, status: 'cancelled' } as const);
      if (run) open.delete(run);
      onOutcome(outcome);
      return outcome;
    }),
  );
  const done = new AbortController();
  const following = followProgress(open, onProgress, done.signal);
  try {
    // A cancellation that fails must not leave the command waiting for runs that continue.
    return await Promise.race([all, cancelled.then(() => all)]);
  } finally {
    done.abort();
    await following;
  }
}
