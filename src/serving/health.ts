import { createServer, type Server } from 'node:http';
import type { WorkerStatus } from '@temporalio/worker';
import { UsageError } from '../errors.ts';
import { hideSecrets } from '../secrets.ts';

/** What a serving process knows of itself, as it is now. */
export type Condition = {
  /** Of the worker, once there is one. */
  worker?: () => Pick<WorkerStatus, 'runState' | 'workflowPollerState' | 'activityPollerState'>;
  /** What is wrong with it, `ok` where nothing is. */
  temporal: string;
  destination: string;
};

/** What `/readyz` answers with. */
export type Readiness = {
  readonly ready: boolean;
  readonly worker: string;
  readonly temporal: string;
  readonly destination: string;
};

/**
 * Answers probes at `http://<address>`: `/livez` with 200 while this process turns and its worker has not ended, so
 * that only a new process could mend what is wrong; `/readyz` with 200 while it takes runs and can carry them out, with
 * 503 otherwise and from the moment it is to stop. Both say in JSON what they found.
 * Throws `UsageError` where nothing can listen there.
 */
export async function serveHealth(
  address: string,
  condition: Condition,
  stopping: AbortSignal,
): Promise<{ readonly close: () => Promise<void> }> {
  const answers: { readonly [path: string]: () => readonly [isGood: boolean, said: object] } = {
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
    const [isGood, said] = answer();
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    response.writeHead(isGood ? 200 : 503, headers).end(hideSecrets(`${JSON.stringify(said)}\n`));
  });
  await listen(server, address);
  return {
    close: async () => {
      const closed = new Promise((resolve) => void server.close(resolve));
      // Probes keep their connections.
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
  if (!worker) return 'starting';
  const { runState, workflowPollerState, activityPollerState } = worker();
  const isPolling = [workflowPollerState, activityPollerState].every((state) => state === 'POLLING');
  return runState === 'RUNNING' && isPolling ? 'polling' : runState.toLowerCase();
}

/** Listens at `host:port`, with brackets around an IPv6 host. */
async function listen(server: Server, address: string): Promise<void> {
  const { host, port } = /^(?<host>\[[^\]]+\]|[^:]+):(?<port>\d+)$/.exec(address)?.groups ?? {};
  const unusable = (why: string) =>
    new UsageError(
      `Health cannot be told at ${address}: ${why}.`,
      'Give an address of this machine and a free port, such as 127.0.0.1:8086, or 0.0.0.0:8086 for probes from outside.',
    );
  if (host === undefined || !(Number(port) < 65_536)) throw unusable('that is no address and port');
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(unusable(error.code ?? error.message)));
    server.listen(Number(port), host.replace(/^\[|\]$/g, ''), resolve);
  });
}
