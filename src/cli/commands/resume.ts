import { Command } from 'commander';
import { examples } from '../terminal/help.ts';
import {
  addOperatingOptions,
  operating,
  type OperatingOptions,
  schedulesOf,
  tell,
} from '../options/operating.ts';
import type { Session } from '../session.ts';

/** `resume`: what `pause` stopped goes on. */
export function resumeCommand(session: Session): Command {
  return addOperatingOptions(
    new Command('resume').description('start runs of paused tables again, at their next time'),
  )
    .addHelpText(
      'after',
      examples(['All tables, and sync them now', 'incident-io-source resume && incident-io-source trigger']),
    )
    .action((names: string[], options: OperatingOptions) => resume(session, names, options));
}

async function resume(session: Session, names: readonly string[], options: OperatingOptions): Promise<void> {
  const resumed = await operating(session, names, options, async (operated) => {
    const schedules = await schedulesOf(operated);
    return Promise.all(
      schedules.map(async ({ table, id }) => {
        const handle = operated.client.schedule.getHandle(id);
        await handle.unpause('resumed with incident-io-source resume');
        const [next] = (await handle.describe()).info.nextActionTimes;
        return { table: table.name, schedule: 'active', ...(next && { nextRun: next.toISOString() }) };
      }),
    );
  });
  tell(session, options, resumed, ({ nextRun }) =>
    nextRun === undefined ? 'resumed' : `resumed, next run at ${nextRun}`,
  );
}
