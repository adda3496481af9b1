import type { Readable, Writable } from 'node:stream';

/** A stream that people or programs read. A terminal says how wide it is. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** The inputs and outputs of one call of a command. */
export type Session = {
  readonly stdin: Readable;
  /** For results. */
  readonly stdout: Output;
  /** For warnings, notes and errors. */
  readonly stderr: Output;
  /** Aborted by an interrupt (Ctrl-C), or when the output is lost. */
  readonly signal: AbortSignal;
  /** A command sets it to 1 if it has reported a failure itself; a thrown error sets the exit code by itself. */
  exitCode: number;
};
