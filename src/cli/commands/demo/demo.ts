import { Command } from 'commander';
import { examples } from '../../terminal/help.ts';
import type { Session } from '../../session.ts';

/** `demo`: the whole product in one minute, without an account. */
export function demoCommand(session: Session): Command {
  return new Command('demo')
    .description('sync a made-up account from a sandbox, then answer three questions from its tables')
    .option('--to <destination>', 'keep the tables in this folder or bucket (default: delete them)')
    .addHelpText(
      'after',
      examples(
        ['No account, no key, nothing left behind', 'incident-io-source demo'],
        ['Keep the tables', 'incident-io-source demo --to ./warehouse'],
      ),
    )
    .action(async ({ to }: { readonly to?: string }) => {
      // Loading Temporal and DuckDB takes half a second, and --help should not wait for it.
      const { runDemo } = await import('./run-demo.ts');
      await runDemo(session, to);
    });
}
