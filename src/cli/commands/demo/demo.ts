import { Command } from 'commander';
import { examples } from '../../terminal/help.ts';
import type { Session } from '../../session.ts';

/** `demo`: the whole product in a minute, without an account. */
export function demoCommand(session: Session): Command {
  return new Command('demo')
    .description('sync an invented account from a sandbox, and ask its tables three questions')
    .option('--to <destination>', 'keep the tables in this folder or bucket; otherwise they are deleted')
    .addHelpText(
      'after',
      examples(
        ['No account, no key, nothing left behind', 'incident-io-source demo'],
        ['Keep the tables to look at them', 'incident-io-source demo --to ./warehouse'],
      ),
    )
    .action(async ({ to }: { readonly to?: string }) => {
      // Loading Temporal and DuckDB takes half a second, which --help need not wait for.
      const { runDemo } = await import('./run.ts');
      await runDemo(session, to);
    });
}
