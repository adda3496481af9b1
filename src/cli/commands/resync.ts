import { Command } from 'commander';
import { DestinationError, UsageError } from '../../errors.ts';
import { workerQueue } from '../../temporal/names.ts';
import { examples } from '../terminal/help.ts';
import {
  addOperatingOptions,
  type Operated,
  operating,
  type OperatingOptions,
  type Scheduled,
  schedulesOf,
  tell,
} from '../options/operating.ts';
import type { Session } from '../session.ts';

type ResyncOptions = OperatingOptions & { readonly yes?: true };

/** `resync`: tables from the beginning. */
export function resyncCommand(session: Session): Command {
  return addOperatingOptions(
    new Command('resync')
      .summary('read tables from the beginning')
      .description(
        'read tables from the beginning, now; readers keep the rows there are until the new ones are committed',
      ),
  )
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      examples(
        ['One table', 'incident-io-source resync incidents'],
        ['All, in a script', 'incident-io-source resync --yes'],
      ),
    )
    .action((names: string[], options: ResyncOptions) => resync(session, names, options));
}

async function resync(session: Session, names: readonly string[], options: ResyncOptions): Promise<void> {
  const begun = await operating(session, names, options, async (operated) => {
    const schedules = await schedulesOf(operated);
    assertHere(operated.settings.destination, schedules);
    if (!options.yes) await confirm(session, operated);
    return resyncTables(operated, schedules);
  });
  tell(session, options, begun, () => 'is read from the beginning');
}

/** Forgets what the tables say of themselves and triggers their schedules. */
async function resyncTables(
  { client, settings: { destination } }: Operated,
  schedules: readonly Scheduled[],
) {
  const [{ triggerTable }, { forgetAccount }, { openDestination }] = await Promise.all([
    import('../../connections/operate.ts'),
    import('../../connections/schedules.ts'),
    import('../../warehouse/open-warehouse.ts'),
  ]);
  const warehouse = await openDestination(destination);
  try {
    return await Promise.all(
      schedules.map(async ({ table, description }) => {
        await warehouse.resetState(table);
        await forgetAccount(client, description);
        return { table: table.name, run: await triggerTable(client, description) };
      }),
    );
  } finally {
    await warehouse.close();
  }
}

/** What a table says of itself lies in its folder, which another host has not; a bucket is the same from everywhere. */
function assertHere(destination: string, schedules: readonly Scheduled[]): void {
  const queue = workerQueue(destination);
  if (schedules.every(({ description }) => description.action.taskQueue === queue)) return;
  throw new DestinationError(
    `The tables in ${destination} are written on another host, or the schedules are older than the settings.`,
    'Run resync on the host of the worker, or run apply first.',
  );
}

async function confirm({ stdin, stderr, signal }: Session, { tables }: Operated): Promise<void> {
  const list = tables.map(({ name }) => name).join(', ');
  if ((stdin as { isTTY?: boolean }).isTTY !== true) {
    throw new UsageError(
      `resync would read ${list} from the beginning, and nobody can be asked.`,
      'Add --yes if that is meant.',
    );
  }
  const { confirm: ask } = await import('@clack/prompts');
  const answer = await ask({
    message: `Read ${list} from the beginning?`,
    initialValue: false,
    input: stdin,
    output: stderr,
    signal,
  });
  signal.throwIfAborted();
  if (answer !== true) throw new UsageError('Nothing was changed.', 'Answer yes, or add --yes.');
}
