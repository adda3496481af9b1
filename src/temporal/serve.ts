import { Client } from '@temporalio/client';
import { DefaultLogger, Runtime, type WorkflowBundleOption } from '@temporalio/worker';
import { createActivities } from '../../activities/index.ts';
import { tableNamed } from '../tables/index.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { TemporalAccess } from './connection.ts';
import { syncQueue } from './names.ts';
import { createWorker } from './worker.ts';

/** What a command starts runs with while its own worker serves their queue. */
export type Serving = { readonly client: Client; readonly taskQueue: string };

/**
 * Has Temporal's runtime leave signals to the command (its own handler would stop the worker that has to carry
 * out a cancellation) and keep to itself what the command tells in its own words. Once a process, before anything
 * else of Temporal.
 */
export function quietRuntime(): void {
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
  });
}

export type ServeOptions = {
  readonly access: TemporalAccess;
  readonly warehouse: Warehouse;
  readonly requestTimeoutMs?: number;
  readonly workflowBundle?: WorkflowBundleOption;
};

/**
 * Runs a worker for a destination's queue while `work` lasts; then batches hand over what they hold. Rejects
 * should the worker die first.
 */
export async function serveWhile<T>(
  { access, warehouse, requestTimeoutMs, workflowBundle }: ServeOptions,
  work: (serving: Serving) => Promise<T>,
): Promise<T> {
  const { connection, namespace } = access;
  const taskQueue = syncQueue(warehouse.destination);
  const worker = await createWorker({
    connection,
    namespace,
    taskQueue,
    activities: createActivities({
      tableNamed,
      warehouse,
      ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
    }),
    ...(workflowBundle && { workflowBundle }),
  });
  return worker.runUntil(() => work({ client: new Client({ connection, namespace }), taskQueue }));
}
