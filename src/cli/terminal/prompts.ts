import type { CommonOptions } from '@clack/prompts';
import type { Session } from '../session.ts';
import { InterruptedError } from './interrupted.ts';
import { widthOf, wrapped } from './text.ts';

/** Whether there is someone to ask. */
export function hasTerminal({ stdin, stdout }: Session): boolean {
  return (stdin as { readonly isTTY?: boolean }).isTTY === true && stdout.isTTY === true;
}

/** The streams that one prompt works with. */
export function streamsOf({ stdin, stdout, signal }: Session): CommonOptions {
  // Its own signal: prompts leave their listeners behind, and Node warns of a leak from the eleventh on.
  return { input: stdin, output: stdout, signal: AbortSignal.any([signal]) };
}

/** The answer to a prompt. Throws `InterruptedError` if it was cancelled. */
export async function answerTo<T>(prompt: Promise<T>): Promise<Exclude<T, symbol>> {
  const answer = await prompt;
  if (typeof answer === 'symbol') throw new InterruptedError();
  return answer as Exclude<T, symbol>;
}

/**
 * Asks for a yes. Throws `InterruptedError` if the question was cancelled.
 * @param byDefault what Enter answers
 */
export async function agreesTo(session: Session, message: string, byDefault = true): Promise<boolean> {
  const { confirm } = await import('@clack/prompts');
  return answerTo(confirm({ message, initialValue: byDefault, ...streamsOf(session) }));
}

const bar = '│  ';

/** A text for one of clack's own lines: clack puts a bar in front of each, and leaves breaking them to the terminal. */
export function clackText({ stdout }: Session, text: string): string {
  return wrapped(text, widthOf(stdout) - bar.length);
}
