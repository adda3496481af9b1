import { resolve } from 'node:path';
import { createActivities } from '../activities/index.ts';
import { tableNamed } from './tables/index.ts';
import { workerQueue } from './temporal/names.ts';
import { createWorker } from './temporal/worker.ts';
import { folderStore } from './warehouse/folder-store.ts';
import { openWarehouse } from './warehouse/open-warehouse.ts';
import type { SourceWorker, SourceWorkerOptions } from './warehouse-source.ts';

/**
 * `incident-io-source/worker`: what a platform builds a worker of its own from, and reads the tables with. Importing
 * it loads Temporal's worker and DuckDB; `createWorker` of a source does so when it is called.
 */
export { createActivities, type Dependencies } from '../activities/index.ts';
export { tableNamed } from './tables/index.ts';
export { createWorker, ownWorkflows, type ServedQueue } from './temporal/worker.ts';
export { folderStore } from './warehouse/folder-store.ts';
export { openWarehouse } from './warehouse/open-warehouse.ts';
export { tableFiles, type TableFiles } from './warehouse/query.ts';
export type { Warehouse } from './warehouse/warehouse.ts';

/** The worker of a destination's queue, with the limits this package recommends. */
export async function createSourceWorker({
  connection,
  namespace,
  destination: folder,
  vault,
  workflowBundle,
}: SourceWorkerOptions): Promise<SourceWorker> {
  const destination = resolve(folder);
  const warehouse = await openWarehouse(folderStore(destination), { destination });
  try {
    const worker = await createWorker({
      connection,
      namespace,
      taskQueue: workerQueue(destination),
      activities: createActivities({ tableNamed, warehouse, ...(vault && { vault }) }),
      ...(workflowBundle && { workflowBundle }),
    });
    return { worker, close: () => warehouse.close() };
  } catch (error) {
    await warehouse.close();
    throw error;
  }
}
