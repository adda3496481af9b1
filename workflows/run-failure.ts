/** A failure that the run itself decides on: neither an activity's nor Temporal's. It is final. */
export class RunFailure extends Error {
  /** The error's name, as reports show it. */
  readonly type: string;
  /** What to do about it. */
  readonly advice: string;

  constructor(type: string, message: string, advice: string) {
    super(message);
    this.type = type;
    this.advice = advice;
  }
}
