import type { SyncTableInput } from '../../workflows/contract.ts';
import type { Serving } from '../serving/serve.ts';
import { followProgress, type OnProgress } from './follow-progress.ts';
import { cancelRun, outcomeOf, type RunOutcome } from './runs.ts';
import { startRun, type StartedRun } from './start-run.ts';

/** How a command follows its runs. */
export type Watcher = {
  /** Called once, when all runs are started or taken up. */
  readonly onStart: (runs: readonly StartedRun[]) => void;
  readonly onProgress: OnProgress;
  readonly onOutcome: (outcome: RunOutcome) => void;
  /** Cancels the runs; they delete what they had staged before the function returns. */
  readonly interrupt: AbortSignal;
};

/**
 * Runs tables at the same time, each in a workflow of its own, and waits for all of them. A table's failure does not
 * stop the others.
 */
export async function syncTables(
  { client, taskQueue }: Pick<Serving, 'client' | 'taskQueue'>,
  destination: string,
  inputs: readonly SyncTableInput[],
  { onStart, onProgress, onOutcome, interrupt }: Watcher,
): Promise<RunOutcome[]> {
  const runs = await Promise.all(inputs.map((input) => startRun(client, taskQueue, destination, input)));
  onStart(runs);

  const open = new Set(runs);
  const cancelAll = () => Promise.all([...open].map(({ handle }) => cancelRun(client, handle.workflowId)));
  const cancelled = new Promise<void>((resolve, reject) => {
    const cancel = () => void cancelAll().then(() => resolve(), reject);
    if (interrupt.aborted) cancel();
    else interrupt.addEventListener('abort', cancel, { once: true });
  });

  const all = Promise.all(
    runs.map(async (run) => {
      const outcome = await outcomeOf(run);
      open.delete(run);
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
