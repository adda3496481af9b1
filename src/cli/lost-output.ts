import type { Output } from './session.ts';

/** The exit code of a program that SIGPIPE ended (128 + 13): most programs end that way when their reader goes away. */
const readerGone = 141;
const failed = 1;

/** Output that can no longer be written: its reader went away (`… | head`), or its disk is full. */
export class OutputLostError extends Error {
  readonly exitCode: number;
  /** A message for people; `undefined` if the reader went away and could not see it. */
  readonly sentence: string | undefined;

  constructor(output: string, { code }: NodeJS.ErrnoException) {
    super(`${output} is lost (${code})`);
    const isGone = code === 'EPIPE';
    this.exitCode = isGone ? readerGone : failed;
    this.sentence = isGone
      ? undefined
      : `error: Cannot write to ${output} (${code}).\n  → Check the disk that it goes to, then run the command again.\n`;
  }
}

/** Calls `onLost` once, for the first of the outputs that can no longer be written. */
export function watchOutputs(
  outputs: { readonly [name: string]: Output },
  onLost: (error: OutputLostError) => void,
): void {
  let isLost = false;
  for (const [name, output] of Object.entries(outputs)) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (isLost) return;
      isLost = true;
      onLost(new OutputLostError(name, error));
    });
  }
}

/** For commands that run until they are interrupted: if the output was lost instead, that is a failure. */
export function throwIfOutputLost({ reason }: AbortSignal): void {
  if (reason instanceof OutputLostError) throw reason;
}
