import { Command } from 'commander';
import type { Triggered } from '../../connections/schedule/trigger.ts';
import { addOperatingOptions, operating, type OperatingOptions, tellOutcomes } from '../options/operating.ts';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';

/** `trigger`: syncs tables now, by their schedules. */
export function triggerCommand(session: Session): Command {
  return addOperatingOptions(
    new Command('trigger').description(
      'sync tables now, by their schedules, paused or not; a run in progress finishes first',
    ),
  )
    .addHelpText(
      'after',
      examples(
        ['One table', 'incident-io-source trigger incidents'],
        ['All tables, then watch them', 'incident-io-source trigger && incident-io-source status --watch'],
      ),
    )
    .action((names: string[], options: OperatingOptions) => trigger(session, names, options));
}

const sentences: { readonly [T in Triggered]: string } = {
  started: 'a run is starting',
  buffered: 'a run is in progress; another follows when it ends',
  buffered_before: 'a run is in progress, and another was already waiting for it to end',
};

async function trigger(session: Session, names: readonly string[], options: OperatingOptions): Promise<void> {
  const outcomes = await operating(session, names, options, async ({ client, settings, tables }) => {
    const { triggerTables } = await import('../../connections/schedule/trigger.ts');
    return triggerTables(client, settings, tables);
  });
  tellOutcomes(session, options, outcomes, ({ triggered }) => sentences[triggered]);
}
