import type { Identity } from '../src/incident-io/identity.ts';

/** How long an answer about a key counts; after that, what the key may see is asked for again. */
const believedMs = 3_600_000;
/** A machine whose clocks disagree by more than this was suspended, or its time was set. */
const clocksAgreeMs = 5_000;

/** What the API said about a key, and what its clock said then. */
export class KnownIdentity {
  readonly answer: Identity;
  readonly #answered = { running: performance.now(), wall: Date.now() };

  constructor(answer: Identity) {
    this.answer = answer;
  }

  /**
   * The answer, with the API's clock advanced by the time that has passed here. That clock is never ahead of the real
   * one: its `Date` has no fractions of a second, and the time in transit is not counted. `undefined` if the answer is
   * too old or has no clock, or if it is unknown how much time has passed.
   */
  now(): Identity | undefined {
    const { answeredAt } = this.answer;
    if (answeredAt === undefined) return undefined;
    const passed = performance.now() - this.#answered.running;
    const passedByWall = Date.now() - this.#answered.wall;
    if (passed > believedMs || Math.abs(passed - passedByWall) > clocksAgreeMs) return undefined;
    return { ...this.answer, answeredAt: Math.floor(answeredAt + passed) };
  }
}
