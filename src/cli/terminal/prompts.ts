import type { CommonOptions } from '@clack/prompts';
import { InterruptedError } from './interrupted.ts';
import type { Session } from '../session.ts';

/** Whether there is somebody to ask. */
export function hasTerminal({ stdin, stdout }: Session): boolean {
  return (stdin as { readonly isTTY?: boolean }).isTTY === true && stdout.isTTY === true;
}

/** The streams a prompt works on. */
export function streamsOf({ stdin, stdout, signal }: Session): CommonOptions {
  return { input: stdin, output: stdout, signal };
}

/** The answer to a prompt. Throws `InterruptedError` where it was cancelled. */
export async function answerTo<T>(prompt: Promise<T>): Promise<Exclude<T, symbol>> {
  const answer = await prompt;
  if (typeof answer === 'symbol') throw new InterruptedError();
  return answer as Exclude<T, symbol>;
}

/** Asks for a yes. Throws `InterruptedError` where it was cancelled. */
export async function agreesTo(session: Session, message: string): Promise<boolean> {
  const { confirm } = await import('@clack/prompts');
  return answerTo(confirm({ message, ...streamsOf(session) }));
}
