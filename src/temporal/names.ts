import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { placeOf } from '../warehouse/store/destination.ts';

/**
 * The host whose folders are meant: `INCIDENT_IO_SOURCE_HOST` sets its name where it changes from start to start, as
 * a container's does.
 */
export function hostName(): string {
  return process.env['INCIDENT_IO_SOURCE_HOST'] ?? hostname();
}

/**
 * Names that are fixed by a destination, so that runs of one table find each other. A folder counts with its
 * host, so that parts are staged where they are committed; a bucket is the same from everywhere.
 */
function hashOf(destination: string): string {
  return createHash('sha256').update(placeOf(destination, hostName())).digest('hex').slice(0, 16);
}

/** The queue that `sync` uses and serves itself: a laptop never takes the batches of production. */
export function syncQueue(destination: string): string {
  return `incident-io-source:${hashOf(destination)}:sync`;
}

/** The queue that `worker` and `up` serve, and schedules use. */
export function workerQueue(destination: string): string {
  return `incident-io-source:${hashOf(destination)}`;
}

/** The id of the schedule of a connection's table; its runs' workflow ids begin with `<id>-workflow`. */
export function scheduleId(connection: string, table: string): string {
  return `incident_io:${connection}:${table}`;
}

/** The workflow id of a table's run outside schedules. */
export function tableWorkflowId(destination: string, table: string): string {
  return `incident_io:${hashOf(destination)}:${table}`;
}
