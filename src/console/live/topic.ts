import { setTimeout as sleep } from 'node:timers/promises';

/** What a topic's loop has read, and when it should look again. */
export type Reading<State> = { readonly state: State; readonly nextInMs: number };

export type Listener<State> = {
  readonly state: (state: State) => void;
  readonly failed: (error: unknown) => void;
};

const afterFailureMs = 3_000;

/**
 * State that many pages watch. One loop reads it for all of them, and only while there are listeners. Each listener
 * gets the whole state when it begins to listen, and again whenever it has changed.
 */
export class Topic<State extends { readonly at: string }> {
  readonly #read: (signal: AbortSignal) => Promise<Reading<State>>;
  readonly #listeners = new Set<Listener<State>>();
  #latest: { readonly state: State; readonly text: string } | undefined;
  #stop: AbortController | undefined;
  #wake: AbortController | undefined;

  constructor(read: (signal: AbortSignal) => Promise<Reading<State>>) {
    this.#read = read;
  }

  /** @returns a function that stops listening */
  listen(listener: Listener<State>): () => void {
    this.#listeners.add(listener);
    if (this.#latest) listener.state(this.#latest.state);
    if (!this.#stop) {
      this.#stop = new AbortController();
      void this.#loop(this.#stop.signal);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stop?.abort();
      this.#stop = undefined;
      // The next listener must not get a state that may be long outdated.
      this.#latest = undefined;
    };
  }

  /** Call after a change: reads the state now instead of after the pause. */
  poke(): void {
    this.#wake?.abort();
  }

  async #loop(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      const wake = new AbortController();
      this.#wake = wake;
      const pauseMs = await this.#look(stopped);
      await sleep(pauseMs, undefined, { signal: AbortSignal.any([stopped, wake.signal]) }).catch(
        () => undefined,
      );
    }
  }

  async #look(stopped: AbortSignal): Promise<number> {
    try {
      const { state, nextInMs } = await this.#read(stopped);
      if (stopped.aborted) return 0;
      const { at: _at, ...rest } = state;
      const text = JSON.stringify(rest);
      const isNew = text !== this.#latest?.text;
      this.#latest = { state, text };
      if (isNew) for (const listener of this.#listeners) listener.state(state);
      return nextInMs;
    } catch (error) {
      if (stopped.aborted) return 0;
      for (const listener of this.#listeners) listener.failed(error);
      return afterFailureMs;
    }
  }
}
