import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type NativeConnection,
  Worker,
  type WorkerOptions as Options,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import type { Activities } from '../../activities/contract.ts';
import type { Tracing } from './tracing.ts';

export type ServedQueue = {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly activities: Activities;
  /** The workflows' bundle; this package's own where it is left out. */
  readonly workflowBundle?: WorkflowBundleOption;
  readonly tracing?: Tracing;
};

/** A worker for one destination's queue, with its limits and why. */
export function createWorker(options: ServedQueue): Promise<Worker> {
  const { connection, namespace, taskQueue, activities, workflowBundle, tracing } = options;
  const { interceptors, ...workflows } = workflowBundle
    ? { workflowBundle }
    : ownWorkflows(tracing !== undefined);
  return Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
    ...workflows,
    ...(tracing && { interceptors: { ...interceptors, activity: tracing.activity }, sinks: tracing.sinks }),
    // A cancellation reaches an activity with the answer to its heartbeat, so beats must not be held back.
    maxHeartbeatThrottleInterval: '3 seconds',
    defaultHeartbeatThrottleInterval: '3 seconds',
    // Twelve tables, two of them with eight windows; a batch keeps a page in memory, not its rows.
    maxConcurrentActivityTaskExecutions: 40,
    // One run a table and their parent; the default grows with the heap.
    maxCachedWorkflows: 50,
    // A defect of a workflow, or a history this version cannot replay, would be retried for ever without a word;
    // failed, the run says so, and the next one begins anew.
    workflowFailureErrorTypes: { '*': ['Error', 'NondeterminismError'] },
    // Batches end at once and hand over what they hold; staging a part takes a second or two. A commit goes on to its
    // end: one that takes longer is done again elsewhere, and finds what it has done already by its run's id.
    shutdownGraceTime: '1 millisecond',
    shutdownForceTime: '60 seconds',
  });
}

/** Makes spans of a workflow. It is in no bundle but the traced one: runs that are not traced pay nothing for it. */
export const tracingModule = createRequire(import.meta.url).resolve(
  '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors.js',
);

/** The bundle that the build made; run from source, the workflows themselves, which takes a second more. */
export function ownWorkflows(
  isTraced = false,
): Pick<Options, 'workflowBundle' | 'workflowsPath' | 'interceptors'> {
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  if (extname(import.meta.url) === '.ts') {
    const workflowsPath = here('../../workflows/index.ts');
    return isTraced
      ? { workflowsPath, interceptors: { workflowModules: [tracingModule] } }
      : { workflowsPath };
  }
  return {
    workflowBundle: {
      codePath: here(isTraced ? '../../workflow-bundle-traced.js' : '../../workflow-bundle.js'),
    },
  };
}
