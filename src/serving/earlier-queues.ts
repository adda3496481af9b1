import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, isGrpcServiceError, ServiceError } from '@temporalio/client';
import type { ConnectionsByPlace } from './connections.ts';

/** Each look is one small request. A run that starts on such a queue waits at most this long. */
const lookEveryMs = 5_000;
/** The most that the server lists at once. */
const pageSize = 1_000;

const openRuns = `WorkflowType IN ('syncTable', 'syncSource') AND ExecutionStatus = 'Running'`;

/** The queues of earlier versions on which runs of these connections are open. */
export async function earlierQueuesInUse(client: Client, byPlace: ConnectionsByPlace): Promise<Set<string>> {
  const queues = new Set<string>();
  for await (const { taskQueue } of client.workflow.list({ query: openRuns, pageSize })) {
    if (byPlace.ofEarlierQueue(taskQueue)) queues.add(taskQueue);
  }
  return queues;
}

/**
 * Reports these queues to `onLook`, again and again, until `done`. A queue is reported until two looks have found no run
 * on it, because the server's list is seconds old.
 */
export async function watchEarlierQueues(
  client: Client,
  byPlace: ConnectionsByPlace,
  onLook: (queues: ReadonlySet<string>) => Promise<void>,
  done: AbortSignal,
): Promise<void> {
  let before = new Set<string>();
  while (!done.aborted) {
    await sleep(lookEveryMs, undefined, { signal: done }).catch(() => undefined);
    if (done.aborted) return;
    try {
      const deadline = Date.now() + lookEveryMs;
      const now = await client.connection.withDeadline(deadline, () => earlierQueuesInUse(client, byPlace));
      await onLook(new Set([...before, ...now]));
      before = now;
    } catch (error) {
      // The server does not answer, which another watch reports.
      if (!(isGrpcServiceError(error) || error instanceof ServiceError)) throw error;
    }
  }
}
