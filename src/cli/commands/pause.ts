import { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import { examples } from '../terminal/help.ts';
import {
  addOperatingOptions,
  operating,
  type OperatingOptions,
  schedulesOf,
  tell,
} from '../options/operating.ts';
import type { Session } from '../session.ts';

type PauseOptions = OperatingOptions & { readonly note: string };

/** `pause`: no runs by themselves until `resume`. */
export function pauseCommand(session: Session): Command {
  return addOperatingOptions(
    new Command('pause')
      .summary('start no runs for a while')
      .description('start no runs of tables until resume; one that is going on goes on, trigger still works'),
  )
    .option('--note <text>', 'why, for those who look at status', 'paused with incident-io-source pause')
    .addHelpText(
      'after',
      examples(
        [
          'While the account is being moved',
          `incident-io-source pause --note "moving to another organisation"`,
        ],
        [
          'One table, and stop the run that is going on',
          'incident-io-source pause alerts && incident-io-source cancel alerts',
        ],
      ),
    )
    .action((names: string[], options: PauseOptions) => pause(session, names, options));
}

const longestNote = 1_000;

async function pause(session: Session, names: readonly string[], options: PauseOptions): Promise<void> {
  const { note } = options;
  if (note.length > longestNote) {
    throw new UsageError(
      `The note is of ${note.length} characters.`,
      `Give one of at most ${longestNote}; the server keeps no long ones.`,
    );
  }
  const paused = await operating(session, names, options, async (operated) => {
    const schedules = await schedulesOf(operated);
    await Promise.all(schedules.map(({ id }) => operated.client.schedule.getHandle(id).pause(note)));
    return schedules.map(({ table }) => ({ table: table.name, schedule: 'paused', note }));
  });
  tell(session, options, paused, () => 'paused');
}
