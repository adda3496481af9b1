import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { placeOf } from '../warehouse/store/destination.ts';

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
 * Stands for a destination in names. A folder counts with its host, so that parts are staged where they are
 * committed; a bucket is the same from everywhere.
 */
function hashOf(destination: string): string {
  return createHash('sha256').update(placeOf(destination, hostName())).digest('hex').slice(0, 16);
}

/** The queue that `sync` both uses and serves: a laptop must never take production's batches. */
export function syncQueue(destination: string): string {
  return `incident-io-source:${hashOf(destination)}:sync`;
}

/** The queue that `worker` and `up` serve and schedules use. */
export function workerQueue(destination: string): string {
  return `incident-io-source:${hashOf(destination)}`;
}

/** The id of the schedule of a connection's table. The workflow ids of its runs start with `<id>-workflow`. */
export function scheduleId(connection: string, table: string): string {
  return `incident_io:${connection}:${table}`;
}

/** The workflow id of a table's run outside its schedule. */
export function tableWorkflowId(destination: string, table: string): string {
  return `incident_io:${hashOf(destination)}:${table}`;
}
