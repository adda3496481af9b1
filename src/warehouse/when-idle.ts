/** Milliseconds. */
const idleAfter = 100;

/** Does some work once no job has run for a moment, if one of them has made it necessary. */
export class WhenIdle {
  readonly #work: () => Promise<void>;
  #jobs = 0;
  #isNeeded = false;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  begin(): void {
    this.#jobs += 1;
    clearTimeout(this.#timer);
  }

  /** @param needsWork whether the work is necessary after this job */
  end(needsWork: boolean): void {
    this.#jobs -= 1;
    this.#isNeeded ||= needsWork;
    if (this.#jobs > 0 || !this.#isNeeded) return;
    // This must not keep the process alive.
    this.#timer = setTimeout(() => {
      this.#isNeeded = false;
      this.#working = this.#work();
    }, idleAfter).unref();
  }

  /** The work does not begin any more. Resolves once it has ended, if it has begun. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#working;
  }
}
