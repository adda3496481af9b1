/** How often hints may trigger a table. */
export type Allowed = {
  /** After a trigger, all hints within this many milliseconds become one trigger. */
  readonly gapMs: () => number;
  /** This many triggers may be that close together. */
  readonly burst: number;
  /** After such a burst, one trigger per this many milliseconds. */
  readonly everyMs: number;
};

/** A failed trigger is retried after this many milliseconds at most. */
const longestRetryMs = 30_000;

/**
 * Triggers a table.
 * @param hints the number of hints so far
 * @returns how many hints are covered, because the run began after them; `undefined` if the trigger must be retried
 */
export type Trigger = (hints: () => number) => Promise<number | undefined>;

/**
 * Turns the hints for one table into triggers. The first hint triggers at once; those that follow become one trigger at
 * the end of a gap. While hints keep coming, triggers become rarer: a storm must not use up the key's rate limit.
 */
export class Pacing {
  readonly #allowed: Allowed;
  readonly #trigger: Trigger;
  #hints = 0;
  #done = 0;
  /** How many triggers were allowed at `#filledAt`. */
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

  /** Accepts a hint and returns its number, counted from 1. */
  hint(): number {
    this.#hints += 1;
    this.#working ??= this.#work();
    return this.#hints;
  }

  /** Whether there is a hint that has not led to a run yet. */
  get isWaiting(): boolean {
    return this.#done < this.#hints;
  }

  /** Triggers the hints that wait for the end of a gap, once, and ends. */
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
    // In the same tick as the last check for hints: a hint in between would otherwise wait until another one comes.
    this.#working = undefined;
  }

  /** Takes a token for the trigger just made; returns the milliseconds until there is one for the next. */
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
