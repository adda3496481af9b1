import type { Worker, WorkerStatus } from '@temporalio/worker';

type Served = { readonly worker: Worker; readonly ended: Promise<void>; isWanted: boolean };

/** The workers of a process, one per queue. Queues come and go with the connections. */
export class Queues {
  readonly #create: (taskQueue: string) => Promise<Worker>;
  readonly #served = new Map<string, Served>();
  readonly #ending = new Set<Promise<void>>();
  readonly #failure: Promise<never>;
  #fail!: (error: unknown) => void;
  #last: Promise<void> = Promise.resolve();

  /** @param create makes a worker that does not run yet */
  constructor(create: (taskQueue: string) => Promise<Worker>) {
    this.#create = create;
    this.#failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Whoever awaits it later gets it; until then a rejection must not count as unhandled.
    this.#failure.catch(() => undefined);
  }

  /** Rejects when a worker ends without having been stopped. */
  get failure(): Promise<never> {
    return this.#failure;
  }

  /** Serves exactly these queues. Workers that are no longer needed hand over the work they have begun. */
  serve(wanted: ReadonlySet<string>): Promise<void> {
    // One change after the other: two at once could start two workers for one queue.
    const change = this.#last.then(() => this.#change(wanted));
    this.#last = change.catch(() => undefined);
    return change;
  }

  /** The state of the worker that is doing worst. */
  status(): WorkerStatus | undefined {
    const all = [...this.#served.values()].map(({ worker }) => worker.getStatus());
    return all.find(({ runState }) => runState !== 'RUNNING') ?? all.find((one) => !isPolling(one)) ?? all[0];
  }

  /** Stops all workers; resolves once they have handed over the work they had begun. */
  async stop(): Promise<void> {
    await this.serve(new Set());
    await Promise.all(this.#ending);
  }

  async #change(wanted: ReadonlySet<string>): Promise<void> {
    for (const [taskQueue, served] of this.#served) {
      if (wanted.has(taskQueue)) continue;
      this.#served.delete(taskQueue);
      served.isWanted = false;
      served.worker.shutdown();
      const ending = served.ended.finally(() => this.#ending.delete(ending));
      this.#ending.add(ending);
    }
    for (const taskQueue of wanted) {
      if (!this.#served.has(taskQueue)) this.#start(taskQueue, await this.#create(taskQueue));
    }
  }

  #start(taskQueue: string, worker: Worker): void {
    const served: Served = { worker, ended: this.#ended(taskQueue, worker), isWanted: true };
    this.#served.set(taskQueue, served);
  }

  async #ended(taskQueue: string, worker: Worker): Promise<void> {
    try {
      await worker.run();
      if (this.#served.get(taskQueue)?.isWanted) {
        this.#fail(new Error(`The worker of the queue ${taskQueue} has ended.`));
      }
    } catch (error) {
      this.#fail(error);
    }
  }
}

function isPolling({ workflowPollerState, activityPollerState }: WorkerStatus): boolean {
  return workflowPollerState === 'POLLING' && activityPollerState === 'POLLING';
}
