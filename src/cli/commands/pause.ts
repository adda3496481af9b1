import { Command } from 'commander';
import { addOperatingOptions, operating, type OperatingOptions, tellOutcomes } from '../options/operating.ts';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';

type PauseOptions = OperatingOptions & { readonly note: string };

/** `pause`: schedules start no runs until `resume`. */
export function pauseCommand(session: Session): Command {
  return addOperatingOptions(
    new Command('pause').description(
      'pause schedules until you run resume; a run in progress finishes, and trigger still works',
    ),
  )
    .option('--note <text>', 'why, for people who look at the status', 'paused with incident-io-source pause')
    .addHelpText(
      'after',
      examples(
        [
          'While the account is being moved',
          `incident-io-source pause --note "moving to another organisation"`,
        ],
        [
          'One table, and stop the run in progress',
          'incident-io-source pause alerts && incident-io-source cancel alerts',
        ],
      ),
    )
    .action((names: string[], options: PauseOptions) => pause(session, names, options));
}

async function pause(session: Session, names: readonly string[], options: PauseOptions): Promise<void> {
  const paused = await operating(session, names, options, async ({ client, settings, tables }) => {
    const { pauseTables } = await import('../../connections/schedule/pause.ts');
    return pauseTables(client, settings, tables, options.note);
  });
  tellOutcomes(session, options, paused, () => 'paused');
}
