import type { Client } from '@temporalio/client';
import type { WorkerStatus, WorkflowBundleOption } from '@temporalio/worker';
import { createActivities, type Observer } from '../../activities/index.ts';
import { tableNamed } from '../tables/index.ts';
import type { TemporalAccess } from '../temporal/connection.ts';
import { syncQueue } from '../temporal/names.ts';
import { patientClient, type Patience } from '../temporal/patient-client.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { createWorker, type OnRunEnded } from './create-worker.ts';
import type { Tracing } from './tracing.ts';

/** What a command needs to start runs while its own worker serves their queue. */
export type Serving = {
  readonly client: Client;
  readonly taskQueue: string;
  /** The worker's state now. */
  readonly status: () => WorkerStatus;
};

export type ServeOptions = {
  readonly access: TemporalAccess;
  readonly warehouse: Warehouse;
  readonly requestTimeoutMs?: number;
  readonly workflowBundle?: WorkflowBundleOption;
  /** Defaults to the queue of `sync`. */
  readonly taskQueue?: string;
  readonly observer?: Observer;
  readonly onRunEnded?: OnRunEnded;
  readonly tracing?: Tracing;
  /** How long the client keeps asking a server that does not answer. */
  readonly patience?: Patience;
};

/**
 * Runs a worker for a destination's queue while `work` lasts; then batches hand over what they hold. Rejects if the
 * worker dies first.
 */
export async function serveWhile<T>(
  {
    access,
    warehouse,
    requestTimeoutMs,
    workflowBundle,
    observer,
    tracing,
    onRunEnded,
    ...options
  }: ServeOptions,
  work: (serving: Serving) => Promise<T>,
): Promise<T> {
  const { connection, namespace } = access;
  const taskQueue = options.taskQueue ?? syncQueue(warehouse.destination);
  const worker = await createWorker({
    connection,
    namespace,
    taskQueue,
    activities: createActivities({
      tableNamed,
      warehouse,
      ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
      ...(observer && { observer }),
    }),
    ...(workflowBundle && { workflowBundle }),
    ...(tracing && { tracing }),
    ...(onRunEnded && { onRunEnded }),
  });
  const client = patientClient(access, options.patience);
  return worker.runUntil(() => work({ client, taskQueue, status: () => worker.getStatus() }));
}
