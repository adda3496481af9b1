import { Command } from 'commander';
import { addOperatingOptions, operating, type OperatingOptions, tellOutcomes } from '../options/operating.ts';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';

/** `resume`: ends a `pause`. */
export function resumeCommand(session: Session): Command {
  return addOperatingOptions(
    new Command('resume').description('resume paused schedules; the next runs start at their usual times'),
  )
    .addHelpText(
      'after',
      examples(['All tables, and sync them now', 'incident-io-source resume && incident-io-source trigger']),
    )
    .action((names: string[], options: OperatingOptions) => resume(session, names, options));
}

async function resume(session: Session, names: readonly string[], options: OperatingOptions): Promise<void> {
  const resumed = await operating(session, names, options, async ({ client, settings, tables }) => {
    const { resumeTables } = await import('../../connections/schedule/pause.ts');
    return resumeTables(client, settings, tables);
  });
  tellOutcomes(session, options, resumed, ({ nextRunAt }) =>
    nextRunAt === undefined ? 'resumed' : `resumed, next run at ${nextRunAt}`,
  );
}
