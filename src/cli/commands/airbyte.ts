import { Command } from 'commander';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';

/** `airbyte`: the source as a platform of the Airbyte family calls it. */
export function airbyteCommand(session: Session): Command {
  return (
    new Command('airbyte')
      .argument('<command...>', 'spec, check, discover or read, with the files that the platform names')
      // Platforms add flags of their own.
      .allowUnknownOption()
      .addHelpText(
        'after',
        examples(
          ['What to ask people for', 'incident-io-source airbyte spec'],
          ['Which tables the key can read', 'incident-io-source airbyte discover --config config.json'],
          [
            'What has changed since a state',
            'incident-io-source airbyte read --config config.json --catalog catalog.json --state state.json',
          ],
        ),
      )
      .action(async (argv: string[]) => {
        const { runAirbyte } = await import('../../platforms/airbyte/run-airbyte.ts');
        session.exitCode = await runAirbyte(argv, session);
      })
  );
}
