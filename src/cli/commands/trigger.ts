import { Command } from 'commander';
import type { Triggered } from '../../connections/operate.ts';
import { examples } from '../terminal/help.ts';
import {
  addOperatingOptions,
  operating,
  type OperatingOptions,
  schedulesOf,
  tell,
} from '../options/operating.ts';
import type { Session } from '../session.ts';

/** `trigger`: has tables synced now, by their schedules. */
export function triggerCommand(session: Session): Command {
  return addOperatingOptions(
    new Command('trigger')
      .summary('a run now, by the schedule')
      .description('sync tables now, by their schedules; also those that are paused'),
  )
    .addHelpText(
      'after',
      examples(
        ['One table', 'incident-io-source trigger incidents'],
        ['All tables, then look', 'incident-io-source trigger && incident-io-source status --watch'],
      ),
    )
    .action((names: string[], options: OperatingOptions) => trigger(session, names, options));
}

const sentences: { readonly [T in Triggered]: string } = {
  started: 'a run starts',
  buffered: 'a run is going on; another follows when it ends',
  buffered_before: 'a run is going on, and another was waiting for its end already',
};

async function trigger(session: Session, names: readonly string[], options: OperatingOptions): Promise<void> {
  const triggered = await operating(session, names, options, async (operated) => {
    const { triggerTable } = await import('../../connections/operate.ts');
    const schedules = await schedulesOf(operated);
    return Promise.all(
      schedules.map(async ({ table, description }) => ({
        table: table.name,
        run: await triggerTable(operated.client, description),
      })),
    );
  });
  tell(session, options, triggered, ({ run }) => sentences[run]);
}
