import type { Readable, Writable } from 'node:stream';

/** A stream people or programs read; a terminal says how wide it is. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** What one call of a command has to do with the outside. */
export type Session = {
  readonly stdin: Readable;
  /** What was asked for. */
  readonly stdout: Output;
  /** Everything said about it: warnings, notes, errors. */
  readonly stderr: Output;
  /** Aborted when somebody interrupts (Ctrl-C). */
  readonly signal: AbortSignal;
  /** Set to 1 by a command that told of a failure in its own words; a thrown error does so by itself. */
  exitCode: number;
};
