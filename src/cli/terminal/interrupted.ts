/** Somebody ended the command at one of its questions, or it has reported itself what it was interrupted at. */
export class InterruptedError extends Error {}
