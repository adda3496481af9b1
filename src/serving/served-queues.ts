import type { WorkflowBundleOption } from '@temporalio/worker';
import type { Settings } from '../settings/settings.ts';
import type { TemporalAccess } from '../temporal/connection.ts';
import { workerQueue } from '../temporal/names.ts';
import { ConnectionsByPlace } from './connections.ts';
import { LinkedConnections } from './linked-connections.ts';
import type { Log } from './logs.ts';
import { queueWorkers } from './queue-workers.ts';
import { Queues } from './queues.ts';
import { OpenWarehouses, warehousesOf } from './warehouses.ts';

/** The workers of a process that starts without connections and serves those that are linked while it runs. */
export class ServedQueues {
  readonly #log: Log;
  readonly #connections = new LinkedConnections([]);
  readonly #warehouses = new OpenWarehouses();
  readonly #queues: Queues;

  constructor(
    access: TemporalAccess,
    log: Log,
    options: { readonly workflowBundle?: WorkflowBundleOption } = {},
  ) {
    this.#log = log;
    const warehouses = warehousesOf(new ConnectionsByPlace(this.#connections), this.#warehouses);
    this.#queues = new Queues(
      queueWorkers({ access, warehouses, figures: undefined, tracing: undefined, ...options }),
    );
    this.#queues.failure.catch((error: unknown) => log('error', 'a worker has ended', { error }));
  }

  /** Serves the runs of a connection until `close`. Resolves once a worker takes them. */
  async serve(settings: Settings): Promise<void> {
    const { connection, destination } = settings;
    this.#connections.add(settings);
    await this.#queues.serve(new Set(this.#connections.list().map((one) => workerQueue(one))));
    this.#log('info', 'worker started', { connection, destination, taskQueue: workerQueue(settings) });
  }

  /** Ends the workers: their batches hand over what they hold. */
  async close(): Promise<void> {
    await this.#queues.stop();
    await this.#warehouses.close();
  }
}
