import { createActivities } from '../activities/index.ts';
import { defined } from './defined.ts';
import { tableNamed } from './tables/index.ts';
import { workerQueue } from './temporal/names.ts';
import { createWorker } from './serving/create-worker.ts';
import { destinationOf } from './warehouse/store/destination.ts';
import { openDestination } from './warehouse/open-warehouse.ts';
import type { SourceWorker, SourceWorkerOptions } from './plugin/warehouse-source.ts';

/**
 * `incident-io-source/worker`: what a platform needs to build its own worker and to read the tables. Importing it loads
 * Temporal's worker and DuckDB; `createWorker` of a source loads them when it is called.
 */
export { createActivities, type Dependencies } from '../activities/index.ts';
export { tableNamed } from './tables/index.ts';
export { createWorker, ownWorkflows, type ServedQueue } from './serving/create-worker.ts';
export { destinationOf } from './warehouse/store/destination.ts';
export { openStore } from './warehouse/store/open-store.ts';
export { folderStore } from './warehouse/store/folder-store.ts';
export { openDestination, openWarehouse } from './warehouse/open-warehouse.ts';
export { tableFiles, type TableFiles } from './warehouse/read/table-files.ts';
export type { Warehouse } from './warehouse/warehouse.ts';

/** A worker for a destination's queue, with the limits this package recommends. */
export async function createSourceWorker({
  connection,
  namespace,
  vault,
  workflowBundle,
  ...options
}: SourceWorkerOptions): Promise<SourceWorker> {
  const destination = destinationOf(options.destination);
  const warehouse = await openDestination(destination);
  try {
    const worker = await createWorker({
      connection,
      namespace,
      taskQueue: workerQueue(destination),
      activities: createActivities({ tableNamed, warehouse, ...defined({ vault }) }),
      ...defined({ workflowBundle }),
    });
    return { worker, close: () => warehouse.close() };
  } catch (error) {
    await warehouse.close();
    throw error;
  }
}
