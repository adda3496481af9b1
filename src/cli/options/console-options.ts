import type { ConsoleAddress } from '../../console/console.ts';
import type { ConsoleWorld } from '../../console/world.ts';
import type { Session } from '../session.ts';

/** `--console [address]` of commands that also do something else, as commander gives it. */
export type WithConsole = {
  readonly console?: string | true | undefined;
  readonly behindProxy?: string | undefined;
};

/** Where `--console` listens; `undefined` without it. */
export function consoleAddress({ console, behindProxy }: WithConsole): ConsoleAddress | undefined {
  if (console === undefined) return undefined;
  return { ...(console !== true && { listen: console }), ...(behindProxy !== undefined && { behindProxy }) };
}

/** Serves the console while `work` lasts, and prints its address. */
export async function withConsole<T>(
  { stdout }: Pick<Session, 'stdout'>,
  world: ConsoleWorld,
  address: ConsoleAddress,
  work: () => Promise<T>,
): Promise<T> {
  const { startConsole } = await import('../../console/console.ts');
  const running = await startConsole(world, address);
  try {
    stdout.write(
      `The console is at\n  ${running.url}\nThe address contains a token: anyone who has it can do what you can. Ctrl-C ends it.\n`,
    );
    return await work();
  } finally {
    await running.close();
  }
}
