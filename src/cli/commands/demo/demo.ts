import { Command } from 'commander';
import { addressOf } from '../../options/address.ts';
import { consoleAddress, type WithConsole } from '../../options/console-options.ts';
import { examples } from '../../terminal/help.ts';
import type { Session } from '../../session.ts';

/** `demo`: the whole product in one minute, without an account. */
export function demoCommand(session: Session): Command {
  return new Command('demo')
    .option('--to <destination>', 'keep the tables in this folder or bucket (default: delete them)')
    .option(
      '--console [address]',
      'instead of questions: the console over the account while it is imported',
      addressOf,
    )
    .addHelpText(
      'after',
      examples(
        ['No account, no key, nothing left behind', 'incident-io-source demo'],
        ['Keep the tables', 'incident-io-source demo --to ./warehouse'],
        ['In a browser, until Ctrl-C', 'incident-io-source demo --console'],
      ),
    )
    .action(async ({ to, ...options }: { readonly to?: string } & WithConsole) => {
      const address = consoleAddress(options);
      // Loading Temporal and DuckDB takes half a second, and --help should not wait for it.
      if (address) {
        const { runConsoleDemo } = await import('./console-demo.ts');
        await runConsoleDemo(session, to, address);
      } else {
        const { runDemo } = await import('./run-demo.ts');
        await runDemo(session, to);
      }
    });
}
