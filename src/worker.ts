import { createActivities } from '../activities/index.ts';
import { defined } from './defined.ts';
import { tableNamed } from './tables/index.ts';
import { destinationQueue, workerQueue } from './temporal/names.ts';
import { createWorker, fleetLimits, type ServedQueue } from './serving/create-worker.ts';
import { batchTurns } from './serving/queue-workers.ts';
import { OpenWarehouses, warehousesServed } from './serving/warehouses.ts';
import { destinationOf } from './warehouse/store/destination.ts';
import type { Warehouses } from '../activities/warehouses.ts';
import type { FairTurns } from './fair-turns.ts';
import type { SourceWorker, SourceWorkerOptions } from './plugin/warehouse-source.ts';

/**
 * `incident-io-source/worker`: what a platform needs to build its own worker and to read the tables. Importing it loads
 * Temporal's worker and DuckDB; `createWorker` of a source loads them when it is called.
 */
export { createActivities, type Dependencies } from '../activities/index.ts';
export type { Warehouses } from '../activities/warehouses.ts';
export { tableNamed } from './tables/index.ts';
export { createWorker, ownWorkflows, type ServedQueue } from './serving/create-worker.ts';
export { destinationOf } from './warehouse/store/destination.ts';
export { openStore } from './warehouse/store/open-store.ts';
export { folderStore } from './warehouse/store/folder-store.ts';
export { openDestination, openWarehouse } from './warehouse/open-warehouse.ts';
export { tableFiles, type TableFiles } from './warehouse/read/table-files.ts';
export type { Warehouse } from './warehouse/warehouse.ts';

/** A worker for a destination's or a pool's queue, with the limits this package recommends. */
export async function createSourceWorker(options: SourceWorkerOptions): Promise<SourceWorker> {
  const { connection, namespace, vault, workflowBundle, memory } = options;
  const opened = new OpenWarehouses(memory);
  const create = async (queue: Pick<ServedQueue, 'taskQueue' | 'limits'>, parts: QueueParts) => {
    const activities = createActivities({ tableNamed, ...parts, ...defined({ vault }) });
    const worker = { connection, namespace, activities, ...queue, ...defined({ workflowBundle }) };
    return { worker: await createWorker(worker), close: () => opened.close() };
  };
  try {
    if (!('pool' in options)) {
      const destination = destinationOf(options.destination);
      const warehouses = warehousesServed(opened, (asked) => asked === destination, destination);
      return await create({ taskQueue: destinationQueue(destination) }, { warehouses });
    }
    const { pool, serves } = options;
    const taskQueue = workerQueue({ destination: '', pool });
    const parts = { warehouses: warehousesServed(opened, serves), batchTurns: batchTurns() };
    return await create({ taskQueue, limits: fleetLimits }, parts);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

type QueueParts = { readonly warehouses: Warehouses; readonly batchTurns?: FairTurns };
