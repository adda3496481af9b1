import { setTimeout as sleep } from 'node:timers/promises';
import type { SyncTableInput } from '../../workflows/contract.ts';
import {
  cancelRun,
  outcomeOf,
  progressOf,
  type RunOutcome,
  type RunProgress,
  startRun,
  type StartedRun,
} from './runs.ts';
import type { Serving } from '../serving/serve.ts';

/** How a command follows its runs. */
export type Watcher = {
  /** Called once, when all runs are started or taken up. */
  readonly onStart: (runs: readonly StartedRun[]) => void;
  /** Called every second with the runs that are going on. */
  readonly onProgress: (progress: readonly RunProgress[]) => void;
  readonly onOutcome: (outcome: RunOutcome) => void;
  /** Cancels the runs; they sweep their staging before this function returns. */
  readonly interrupt: AbortSignal;
};

/** Runs tables side by side, each in a workflow of its own, and waits for all. One failure stops no other. */
export async function syncTables(
  { client, taskQueue }: Serving,
  destination: string,
  inputs: readonly SyncTableInput[],
  { onStart, onProgress, onOutcome, interrupt }: Watcher,
): Promise<RunOutcome[]> {
  const runs = await Promise.all(inputs.map((input) => startRun(client, taskQueue, destination, input)));
  onStart(runs);

  const going = new Set(runs);
  const cancelAll = () => Promise.all([...going].map(({ handle }) => cancelRun(client, handle.workflowId)));
  const cancelled = new Promise<void>((resolve, reject) => {
    const cancel = () => void cancelAll().then(() => resolve(), reject);
    if (interrupt.aborted) cancel();
    else interrupt.addEventListener('abort', cancel, { once: true });
  });

  const all = Promise.all(
    runs.map(async (run) => {
      const outcome = await outcomeOf(run);
      going.delete(run);
      onOutcome(outcome);
      return outcome;
    }),
  );
  const done = new AbortController();
  const watching = watch(going, onProgress, done.signal);
  try {
    // A cancellation that fails must not leave the command waiting for runs that go on.
    return await Promise.race([all, cancelled.then(() => all)]);
  } finally {
    done.abort();
    await watching;
  }
}

/** Where no worker answers, the server would hold the question for half a minute. */
const patienceMs = 5_000;

/** Tells every second where these runs stand, until `done`. */
export async function watch(
  going: ReadonlySet<Pick<StartedRun, 'handle'>>,
  onProgress: Watcher['onProgress'],
  done: AbortSignal,
): Promise<void> {
  const over = new Promise<undefined>((resolve) =>
    done.addEventListener('abort', () => resolve(undefined), { once: true }),
  );
  while (!done.aborted) {
    const by = Date.now() + patienceMs;
    const asking = Promise.allSettled(
      [...going].map(({ handle }) => handle.client.withDeadline(by, () => progressOf(handle))),
    );
    const asked = await Promise.race([asking, over]);
    if (!asked) return;
    // A run that ended, or is not yet begun, gives no answer; the next look will.
    onProgress(asked.filter((ask) => ask.status === 'fulfilled').map(({ value }) => value));
    await sleep(1_000, undefined, { signal: done }).catch(() => undefined);
  }
}
