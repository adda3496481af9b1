/** Somebody ended the command at one of its questions. */
export class InterruptedError extends Error {}
