import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { placeOf, siteOf } from '../warehouse/store/destination.ts';

// The names of task queues, schedules and workflows. A destination determines them, so that runs of one table find
// each other.

/**
 * The name of the host whose folders are meant. `INCIDENT_IO_SOURCE_HOST` sets it if the system's own name changes at
 * every start, as in containers.
 */
export function hostName(): string {
  return process.env['INCIDENT_IO_SOURCE_HOST'] ?? hostname();
}

/**
 * Represents a destination in names. A folder includes its host, so that parts are staged where they are committed; a
 * bucket is the same from everywhere.
 */
function hashOf(destination: string): string {
  return shortHash(placeOf(destination, hostName()));
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The queue that `sync` both uses and serves: a laptop must never take production's batches. */
export function syncQueue(destination: string): string {
  return `incident-io-source:${hashOf(destination)}:sync`;
}

/**
 * The queue that schedules use and that `worker` and `up` serve: that of the pool, or one for all connections whose tables
 * are on the same host or in the same bucket. Its runs carry their destination.
 */
export function workerQueue({
  destination,
  pool,
}: {
  readonly destination: string;
  readonly pool?: string | undefined;
}): string {
  if (pool !== undefined) return `incident-io-source:pool:${pool}`;
  return `incident-io-source:place:${shortHash(siteOf(destination, hostName()))}`;
}

/** Whether the queue belongs to a pool, in which case only the pool's workers serve it. */
export function isPoolQueue(taskQueue: string): boolean {
  return taskQueue.startsWith('incident-io-source:pool:');
}

/**
 * The queue of one destination, for the runs of a platform that names no pool, and for schedules that an earlier
 * version made, until `apply` moves them. Its runs do not carry their destination.
 */
export function destinationQueue(destination: string): string {
  return `incident-io-source:${hashOf(destination)}`;
}

/** The id of the schedule of a connection's table. The workflow ids of its runs start with `<id>-workflow`. */
export function scheduleId(connection: string, table: string): string {
  return `incident_io:${connection}:${table}`;
}

/** The connection whose schedule started a workflow; `undefined` for a run outside schedules. */
export function scheduledConnection(workflowId: string): string | undefined {
  return /^incident_io:([a-z0-9_-]+):[a-z0-9_]+-workflow/.exec(workflowId)?.[1];
}

/** The table of a run, by the workflow id that a schedule or `tableWorkflowId` gives it; `undefined` for other ids. */
export function tableOfRun(workflowId: string): string | undefined {
  return /^incident_io:[a-z0-9_-]+:([a-z0-9_]+)(-workflow|$)/.exec(workflowId)?.[1];
}

/** The workflow id of a table's run outside its schedule. */
export function tableWorkflowId(destination: string, table: string): string {
  return `incident_io:${hashOf(destination)}:${table}`;
}
