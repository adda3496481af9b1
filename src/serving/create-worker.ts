import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ActivityInterceptorsFactory,
  type InjectedSinks,
  type NativeConnection,
  Worker,
  type WorkerOptions as Options,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import type { Activities } from '../../activities/contract.ts';
import { withStopping } from '../../activities/stopping.ts';
import type { RunSinks } from '../../workflows/contract.ts';
import { windowsAtOnce } from '../../workflows/windows.ts';
import { tables } from '../tables/index.ts';
import type { Table } from '../tables/table.ts';
import type { Tracing } from './tracing.ts';

export type ServedQueue = {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly activities: Activities;
  /** The workflows' bundle; defaults to this package's own. */
  readonly workflowBundle?: WorkflowBundleOption;
  readonly tracing?: Tracing;
  /** Called for each run that ends. */
  readonly onRunEnded?: OnRunEnded;
  /** How many runs it has room for; by default those of one connection with all tables. */
  readonly limits?: WorkerLimits;
};

export type WorkerLimits = Pick<
  Options,
  | 'maxConcurrentActivityTaskExecutions'
  | 'maxConcurrentLocalActivityExecutions'
  | 'maxConcurrentWorkflowTaskExecutions'
  | 'maxCachedWorkflows'
>;

/** How a run ended, and the seconds it took without its wait for a worker. */
export type RunEnd = Parameters<RunSinks['incidentIoSource']['runEnded']>;

export type OnRunEnded = (workflowId: string, ...run: RunEnd) => void;

/** A worker for a queue. */
export async function createWorker(options: ServedQueue): Promise<Worker> {
  const { connection, namespace, taskQueue, activities, workflowBundle, tracing, onRunEnded } = options;
  const { limits = workerLimits(tables) } = options;
  const { interceptors, ...workflows } = workflowBundle
    ? { workflowBundle }
    : ownWorkflows(tracing !== undefined);
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
    ...workflows,
    ...limits,
    sinks: { ...runSinks(onRunEnded), ...tracing?.sinks },
    interceptors: { ...interceptors, activity: [stoppingWith(() => worker), ...(tracing?.activity ?? [])] },
    // A cancellation reaches an activity with the answer to its heartbeat, so heartbeats must not be held back.
    maxHeartbeatThrottleInterval: '3 seconds',
    defaultHeartbeatThrottleInterval: '3 seconds',
    // Otherwise a bug in a workflow, or a history that this version cannot replay, would be retried forever
    // in silence. This way the run fails and says so, and the next one starts over.
    workflowFailureErrorTypes: { '*': ['Error', 'NondeterminismError'] },
    // Batches end at once and hand over what they hold; staging a part takes a second or two. A commit may
    // finish. If it takes longer than this, another worker repeats it; the run's id shows what is already done.
    shutdownGraceTime: '1 millisecond',
    shutdownForceTime: '60 seconds',
  });
  return worker;
}

/** Lets the activities of a worker ask whether it is shutting down. */
function stoppingWith(worker: () => Worker): ActivityInterceptorsFactory {
  const isStopping = () => worker().getState() !== 'RUNNING';
  return () => ({ inbound: { execute: (input, next) => withStopping(isStopping, () => next(input)) } });
}

/**
 * How many runs a worker carries out within their workflow tasks at the same time. Each takes 40 to 100 ms of a core, and
 * the server takes a task back after ten seconds. With 200, none of a backlog of thousands of runs ended in time, and
 * all began again, forever. What hangs holds its place for at most eight seconds and then continues as an activity.
 */
const mostLocalSteps = 24;
/** The others are for runs that are past that step. */
const mostWorkflowTasks = 40;

/** How much one worker does at the same time so that no table waits for another one's batches. */
export function workerLimits(served: readonly Table[]): WorkerLimits {
  const batches = served.reduce((sum, { splitBy }) => sum + (splitBy ? windowsAtOnce : 1), 0);
  return {
    // Each table's batches, and next to them a plan or a commit. A batch keeps one page in memory, not its rows.
    maxConcurrentActivityTaskExecutions: batches + served.length,
    // For each table a scheduled run and one outside schedules.
    maxConcurrentLocalActivityExecutions: Math.min(2 * served.length, mostLocalSteps),
    maxConcurrentWorkflowTaskExecutions: Math.min(2 * served.length + 2, mostWorkflowTasks),
    // For each table a scheduled run, one outside schedules, and for each of them the execution that follows it; and
    // the parents of an import. By default the cache grows with the heap.
    maxCachedWorkflows: 4 * served.length + 2,
  };
}

/**
 * How much a worker of many connections does. Its batches wait in the process for their turn and cost almost nothing
 * meanwhile, so there is room for those of about ten first syncs and for all quiet runs as well. A run that has ended
 * leaves the cache at once.
 */
export const fleetLimits: WorkerLimits = {
  maxConcurrentActivityTaskExecutions: 500,
  maxConcurrentLocalActivityExecutions: mostLocalSteps,
  maxConcurrentWorkflowTaskExecutions: mostWorkflowTasks,
  maxCachedWorkflows: 400,
};

/** The sinks to which workflows report their end; a worker without them would log an error for each run. */
export function runSinks(onRunEnded: OnRunEnded = () => undefined): InjectedSinks<RunSinks> {
  return {
    incidentIoSource: {
      runEnded: {
        fn: ({ workflowId }, ...run) => onRunEnded(workflowId, ...run),
        callDuringReplay: false,
      },
    },
  };
}

/** Makes spans of a workflow. Only the traced bundle contains it: runs that are not traced pay nothing for it. */
export const tracingModule = createRequire(import.meta.url).resolve(
  '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors.js',
);

/** The bundle that the build made. Run from source, the workflows themselves, which takes a second longer. */
export function ownWorkflows(
  isTraced = false,
): Pick<Options, 'workflowBundle' | 'workflowsPath' | 'interceptors' | 'sinks'> {
  const sinks = runSinks();
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  if (extname(import.meta.url) === '.ts') {
    const workflowsPath = here('../../workflows/index.ts');
    return isTraced
      ? { workflowsPath, sinks, interceptors: { workflowModules: [tracingModule] } }
      : { workflowsPath, sinks };
  }
  return {
    sinks,
    workflowBundle: {
      codePath: here(isTraced ? '../../workflow-bundle-traced.js' : '../../workflow-bundle.js'),
    },
  };
}
