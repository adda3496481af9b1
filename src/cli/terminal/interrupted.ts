/** The command was cancelled at one of its questions, or has itself reported what was interrupted. */
export class InterruptedError extends Error {}
