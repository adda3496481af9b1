import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { progressOf, type RunProgress } from './runs.ts';

/** Called every second with the progress of the runs that a worker responds for. */
export type OnProgress = (progress: readonly RunProgress[]) => void;

/** If no worker responds, the server would hold the query for half a minute. */
const answerMs = 5_000;
const lookEveryMs = 1_000;

/** Reports every second how far these runs are, until `done`. Reports nothing while the server is unreachable. */
export async function followProgress(
  runs: ReadonlySet<{ readonly handle: WorkflowHandle }>,
  onProgress: OnProgress,
  done: AbortSignal,
): Promise<void> {
  const over = new Promise<undefined>((resolve) =>
    done.addEventListener('abort', () => resolve(undefined), { once: true }),
  );
  while (!done.aborted) {
    const by = Date.now() + answerMs;
    const asking = Promise.allSettled(
      [...runs].map(({ handle }) => handle.client.withDeadline(by, () => progressOf(handle))),
    );
    const answers = await Promise.race([asking, over]);
    if (!answers) return;
    if (!answers.some(isUnreachable)) {
      // A run that has ended, or has not begun, gives no answer. The next look finds out.
      onProgress(answers.filter((answer) => answer.status === 'fulfilled').map(({ value }) => value));
    }
    await sleep(lookEveryMs, undefined, { signal: done }).catch(() => undefined);
  }
}

const unavailableCode = 14;

/** Whether it was the server that gave no answer, rather than a missing worker. */
function isUnreachable(answer: PromiseSettledResult<unknown>): boolean {
  if (answer.status === 'fulfilled') return false;
  const { cause } = answer.reason as { cause?: { code?: unknown } };
  return cause?.code === unavailableCode;
}
