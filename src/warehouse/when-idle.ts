/** Milliseconds. */
const idleAfter = 100;

/** Does something once no job has run for a moment. */
export class WhenIdle {
  readonly #work: () => Promise<void>;
  #jobs = 0;
  #isDue = false;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  begin(): void {
    this.#jobs += 1;
    clearTimeout(this.#timer);
  }

  /** @param makesDue `false` if the job alone is no reason to do it */
  end(makesDue: boolean): void {
    this.#jobs -= 1;
    this.#isDue ||= makesDue;
    if (this.#jobs > 0 || !this.#isDue) return;
    // The process may end before that.
    this.#timer = setTimeout(() => {
      this.#isDue = false;
      this.#working = this.#work();
    }, idleAfter).unref();
  }

  /** Resolves once it is not being done, and will not be any more. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#working;
  }
}
