/** How often hints may trigger a table. */
export type Allowed = {
  /** Milliseconds after a trigger in which all hints are one. */
  readonly gapMs: () => number;
  /** So many triggers may follow each other at that distance. */
  readonly burst: number;
  /** After them, one in this many milliseconds. */
  readonly everyMs: number;
};

/** A trigger that failed is tried again after this many milliseconds at most. */
const longestRetryMs = 30_000;

/**
 * Triggers a table.
 * @param hints the number of hints so far
 * @returns how many of them are dealt with, because the run begins after them; `undefined` if it has to be tried again
 */
export type Trigger = (hints: () => number) => Promise<number | undefined>;

/**
 * Turns the hints on one table into triggers. The first hint is a trigger at once, and those that follow are one at the end
 * of a gap. While they keep coming there are fewer triggers: a storm must not spend the allowance of the key.
 */
export class Pacing {
  readonly #allowed: Allowed;
  readonly #trigger: Trigger;
  #hints = 0;
  #done = 0;
  /** Triggers that may come now, as of `#filledAt`. */
  #tokens: number;
  #filledAt = Date.now();
  #working: Promise<void> | undefined;
  #isStopping = false;
  #endGap: () => void = () => undefined;

  constructor(allowed: Allowed, trigger: Trigger) {
    this.#allowed = allowed;
    this.#tokens = allowed.burst;
    this.#trigger = trigger;
  }

  /** Takes a hint; its number, counted from 1. */
  hint(): number {
    this.#hints += 1;
    this.#working ??= this.#work();
    return this.#hints;
  }

  /** Whether a hint has not led to a run yet. */
  get isWaiting(): boolean {
    return this.#done < this.#hints;
  }

  /** Triggers what waits for the end of a gap, once, and ends. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#endGap();
    await this.#working;
    if (this.isWaiting) await this.#trigger(() => this.#hints);
  }

  async #work(): Promise<void> {
    while (this.isWaiting && !this.#isStopping) {
      const done = await this.#trigger(() => this.#hints);
      this.#done = Math.max(this.#done, done ?? 0);
      const waitMs = Math.max(this.#allowed.gapMs(), this.#nextTokenMs());
      await this.#pause(done === undefined ? Math.min(waitMs, longestRetryMs) : waitMs);
    }
    // In the same step as the last look at the hints: one that came in between would wait for the next one.
    this.#working = undefined;
  }

  /** Takes a token for the trigger that was made; milliseconds until there is one for the next. */
  #nextTokenMs(): number {
    const { burst, everyMs } = this.#allowed;
    const now = Date.now();
    this.#tokens = Math.min(burst, this.#tokens + (now - this.#filledAt) / everyMs) - 1;
    this.#filledAt = now;
    return Math.max(0, 1 - this.#tokens) * everyMs;
  }

  async #pause(ms: number): Promise<void> {
    if (this.#isStopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endGap = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
