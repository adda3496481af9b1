import { Command } from 'commander';
import { addOperatingOptions, operating, type OperatingOptions, tellOutcomes } from '../options/operating.ts';
import { isAgreed, withWarehouse } from '../options/settings-options.ts';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';

type ResyncOptions = OperatingOptions & { readonly yes?: true };

/** `resync`: reads tables from scratch. */
export function resyncCommand(session: Session): Command {
  return addOperatingOptions(
    new Command('resync').description(
      'read tables from scratch, now, whatever account the key belongs to; the tables keep their rows until the ' +
        'new ones are committed',
    ),
  )
    .option('--yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      examples(
        ['One table', 'incident-io-source resync incidents'],
        ['All tables, in a script', 'incident-io-source resync --yes'],
      ),
    )
    .action((names: string[], options: ResyncOptions) => resync(session, names, options));
}

async function resync(session: Session, names: readonly string[], options: ResyncOptions): Promise<void> {
  await operating(session, names, options, async ({ client, settings, tables }) => {
    const [{ assertOnThisHost, resyncTables }, { scheduledTables }] = await Promise.all([
      import('../../connections/resync.ts'),
      import('../../connections/schedule/schedule-lookup.ts'),
    ]);
    const { destination } = settings;
    const schedules = await scheduledTables(client, settings, tables);
    assertOnThisHost(destination, schedules);
    const question = `Read ${tables.map(({ name }) => name).join(', ')} from scratch?`;
    if (!(await isAgreed(session, options, question, false))) {
      session.stdout.write('Nothing was changed.\n');
      return;
    }
    const begun = await withWarehouse(destination, (warehouse) =>
      resyncTables({ client, warehouse }, schedules),
    );
    tellOutcomes(session, options, begun, () => 'is being read from scratch');
  });
}
