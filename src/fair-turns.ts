/** Work that asks for a turn. */
export type TurnRequest = {
  /** Whose work it is. Owners that have less in progress go first, then those that have waited longer. */
  readonly owner: string;
  /** How much of the capacity it takes while it lasts. Lighter work goes first. */
  readonly weight: number;
  /** Ends the wait; `take` then rejects with its reason. */
  readonly signal?: AbortSignal;
};

type Waiter = TurnRequest & {
  readonly start: () => void;
  /** How often work that came later went first. */
  passedOver: number;
};

/** Work that was passed over this often goes next: otherwise light work that never ends would hold heavy work up. */
const mostPassedOver = 32;

/**
 * Lets work of several owners run side by side within a capacity. Light work goes before heavy work, and owners take
 * turns, so that one owner's long list of heavy work does not make another's wait for its end.
 */
export class FairTurns {
  readonly #capacity: number;
  readonly #mostPerOwner: number;
  readonly #taken = new Map<string, number>();
  #free: number;
  #waiting: Waiter[] = [];

  /** @param mostPerOwner how much of the capacity one owner may take; work of that weight or more runs alone for it */
  constructor(capacity: number, mostPerOwner = capacity) {
    this.#capacity = capacity;
    this.#mostPerOwner = mostPerOwner;
    this.#free = capacity;
  }

  /** Does the work when its turn comes. Work that takes a turn of its own in here may wait forever. */
  async take<T>(request: TurnRequest, work: () => Promise<T>): Promise<T> {
    const weight = Math.min(request.weight, this.#capacity);
    await this.#turn({ ...request, weight });
    try {
      return await work();
    } finally {
      this.#give(request.owner, -weight);
      this.#serve();
    }
  }

  #turn(request: TurnRequest): Promise<void> {
    const { signal } = request;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(signal!.reason as Error);
        // The others may have been held back for it.
        this.#serve();
      };
      const start = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const waiter: Waiter = { ...request, start, passedOver: 0 };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiter);
      this.#serve();
    });
  }

  #serve(): void {
    for (let next = this.#next(); next; next = this.#next()) {
      const index = this.#waiting.indexOf(next);
      for (const passed of this.#waiting.slice(0, index)) passed.passedOver += 1;
      this.#waiting.splice(index, 1);
      this.#give(next.owner, next.weight);
      next.start();
    }
  }

  /** The work whose turn it is; `undefined` if nothing may start now. */
  #next(): Waiter | undefined {
    const startable = this.#waiting.filter((waiter) => this.#mayTake(waiter));
    const held = startable.find(({ passedOver }) => passedOver >= mostPassedOver);
    if (held) return held.weight <= this.#free ? held : undefined;
    let best: Waiter | undefined;
    for (const waiter of startable) {
      if (waiter.weight <= this.#free && (!best || this.#isBefore(waiter, best))) best = waiter;
    }
    return best;
  }

  #mayTake({ owner, weight }: Waiter): boolean {
    const taken = this.#takenBy(owner);
    return taken === 0 || taken + weight <= this.#mostPerOwner;
  }

  /** Both wait; `b` came first. */
  #isBefore(a: Waiter, b: Waiter): boolean {
    if (a.weight !== b.weight) return a.weight < b.weight;
    return this.#takenBy(a.owner) < this.#takenBy(b.owner);
  }

  #takenBy(owner: string): number {
    return this.#taken.get(owner) ?? 0;
  }

  #give(owner: string, weight: number): void {
    this.#free -= weight;
    const taken = this.#takenBy(owner) + weight;
    if (taken === 0) this.#taken.delete(owner);
    else this.#taken.set(owner, taken);
  }
}
