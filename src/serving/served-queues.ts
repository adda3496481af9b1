import type { Settings } from '../settings/settings.ts';
import type { TemporalAccess } from '../temporal/connection.ts';
import { workerQueue } from '../temporal/names.ts';
import { withDestination } from '../warehouse/open-warehouse.ts';
import type { Log } from './logs.ts';
import { type ServeOptions, serveWhile } from './serve.ts';

/** Workers of one process for connections that are linked while it runs: each destination has a queue of its own. */
export class ServedQueues {
  readonly #access: TemporalAccess;
  readonly #log: Log;
  readonly #options: Pick<ServeOptions, 'workflowBundle'>;
  readonly #stop = new AbortController();
  readonly #served = new Map<string, Promise<void>>();

  /** @param options.own the queue that the process serves already, if there is one */
  constructor(
    access: TemporalAccess,
    log: Log,
    { own, ...options }: Pick<ServeOptions, 'workflowBundle'> & { readonly own?: string } = {},
  ) {
    this.#access = access;
    this.#log = log;
    this.#options = options;
    if (own !== undefined) this.#served.set(own, Promise.resolve());
  }

  /** Serves the queue of a connection until `close`. Resolves once its worker runs. */
  async serve({ connection, destination }: Settings): Promise<void> {
    const taskQueue = workerQueue(destination);
    if (this.#served.has(taskQueue)) return;
    const { signal } = this.#stop;
    await new Promise<void>((resolve, reject) => {
      const ended = withDestination(destination, (warehouse) =>
        serveWhile(
          {
            ...this.#options,
            access: this.#access,
            warehouse,
            taskQueue,
            patience: { ms: Infinity, signal },
          },
          () => {
            this.#log('info', 'worker started', { connection, destination, taskQueue });
            resolve();
            return aborted(signal);
          },
        ),
      );
      this.#served.set(taskQueue, ended.catch(reject));
    }).catch((error: unknown) => {
      // The next connection with this destination tries again.
      this.#served.delete(taskQueue);
      throw error;
    });
  }

  /** Ends the workers: their batches hand over what they hold. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#served.values());
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
