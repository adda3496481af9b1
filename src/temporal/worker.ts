import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { Activities } from '../../activities/contract.ts';

export type WorkerOptions = {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly activities: Activities;
  /** Where the workflows' bundle is; the built one where it is left out. */
  readonly workflowBundle?: WorkflowBundleOption;
};

/** A worker for one destination's queue, with its limits and why. */
export function createWorker(options: WorkerOptions): Promise<Worker> {
  const { connection, namespace, taskQueue, activities, workflowBundle = builtBundle() } = options;
  return Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
    workflowBundle,
    // A cancellation reaches an activity with the answer to its heartbeat, so beats must not be held back.
    maxHeartbeatThrottleInterval: '3 seconds',
    defaultHeartbeatThrottleInterval: '3 seconds',
    // Twelve tables, two of them with eight windows; a batch keeps a page in memory, not its rows.
    maxConcurrentActivityTaskExecutions: 40,
    // One run a table and their parent; the default grows with the heap.
    maxCachedWorkflows: 50,
    // A run whose history this version cannot replay would hang for ever; failed, the next one begins anew.
    workflowFailureErrorTypes: { '*': ['NondeterminismError'] },
    // Batches end at once and hand over what they hold; staging a part takes a second or two.
    shutdownGraceTime: '1 millisecond',
    shutdownForceTime: '60 seconds',
  });
}

/** `npm ci` builds it; run from source it has to be handed in. */
function builtBundle(): WorkflowBundleOption {
  const codePath = fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url));
  if (!existsSync(codePath)) throw new Error('workflow-bundle.js is missing: npm run build makes it.');
  return { codePath };
}
