import { createServer } from 'node:http';
import type { WorkerStatus } from '@temporalio/worker';
import { serveAt } from '../listen.ts';
import { hideSecrets } from '../secrets.ts';

/** The state of a serving process. */
export type Condition = {
  /** The worker's state, once there is a worker; with several, the state of the one that is doing worst. */
  worker?: () => Pick<WorkerStatus, 'runState' | 'workflowPollerState' | 'activityPollerState'> | undefined;
  /** What is wrong, or `ok`. */
  temporal: string;
  /** What is wrong, or `ok`. */
  destination: string;
};

/** The answer of `/readyz`. */
export type Readiness = {
  readonly ready: boolean;
  readonly worker: string;
  readonly temporal: string;
  readonly destination: string;
};

/**
 * Answers probes at `http://<address>` with 200 or 503, and JSON that says what was found. `/livez` fails when the
 * worker has ended, which only a new process can fix. `/readyz` fails when the process cannot take runs and carry
 * them out, and from the moment it is asked to stop.
 * Throws `UsageError` if it cannot listen there.
 */
export async function serveProbes(
  address: string,
  condition: Condition,
  stopping: AbortSignal,
): Promise<{ readonly close: () => Promise<void> }> {
  const answers: { readonly [path: string]: () => readonly [isGood: boolean, found: object] } = {
    '/livez': () => {
      const alive = isAlive(condition);
      return [alive, { alive, worker: workerOf(condition, stopping) }];
    },
    '/readyz': () => {
      const readiness = readinessOf(condition, stopping);
      return [readiness.ready, readiness];
    },
  };
  const server = createServer((request, response) => {
    const answer = answers[(request.url ?? '').split('?')[0]!];
    if (!answer || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(answer ? 405 : 404).end();
      return;
    }
    const [isGood, found] = answer();
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    response.writeHead(isGood ? 200 : 503, headers).end(hideSecrets(`${JSON.stringify(found)}\n`));
  });
  const advice =
    'Give an address of this machine and a free port: 127.0.0.1:8086, or 0.0.0.0:8086 for probes from outside.';
  await serveAt(server, address, 'serve health probes', advice);
  return {
    close: async () => {
      const closed = new Promise((resolve) => void server.close(resolve));
      // Probes keep their connections open.
      server.closeAllConnections();
      await closed;
    },
  };
}

function isAlive({ worker }: Condition): boolean {
  const { runState } = worker?.() ?? {};
  return runState !== 'FAILED' && runState !== 'STOPPED';
}

function readinessOf(condition: Condition, stopping: AbortSignal): Readiness {
  const { temporal, destination } = condition;
  const worker = workerOf(condition, stopping);
  return {
    ready: worker === 'polling' && temporal === 'ok' && destination === 'ok',
    worker,
    temporal,
    destination,
  };
}

function workerOf({ worker }: Condition, { aborted }: AbortSignal): string {
  if (aborted) return 'stopping';
  const status = worker?.();
  if (!status) return 'starting';
  const { runState, workflowPollerState, activityPollerState } = status;
  const isPolling = [workflowPollerState, activityPollerState].every((state) => state === 'POLLING');
  return runState === 'RUNNING' && isPolling ? 'polling' : runState.toLowerCase();
}
