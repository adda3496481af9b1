import { Command } from 'commander';
import {
  addChangingOptions,
  type ChangingOptions,
  isAgreed,
  withTemporal,
  withWarehouse,
} from '../options/settings-options.ts';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';
import { printJson } from '../terminal/output.ts';

/** `unlink`: ends a connection; its tables stay. */
export function unlinkCommand(session: Session): Command {
  return addChangingOptions(
    new Command('unlink').description(
      'end a connection: delete its schedules, runs, staged files, settings file, and the key file that link wrote; ' +
        'the tables stay',
    ),
  )
    .addHelpText(
      'after',
      examples(
        ['With a confirmation', 'incident-io-source unlink'],
        ['Without a terminal', 'incident-io-source unlink --settings prod/incident-io.json --yes'],
      ),
    )
    .action((options: ChangingOptions) => unlink(session, options));
}

async function unlink(session: Session, options: ChangingOptions): Promise<void> {
  const [{ readSettings }, { filesOf, unlinkConnection }] = await Promise.all([
    import('../../settings/file.ts'),
    import('../../connections/unlink.ts'),
  ]);
  const { stdout, signal } = session;
  const file = options.settings;
  const settings = await readSettings(file);
  const { connection, destination } = settings;
  const deleted = filesOf(file, settings);
  if (!options.json) {
    stdout.write(`connection  ${connection}\n`);
    stdout.write(`deletes     its schedules\n${deleted.map((path) => `            ${path}\n`).join('')}`);
    stdout.write(`keeps       the tables in ${destination}\n\n`);
  }
  await withTemporal(session, async (client) => {
    if (!(await isAgreed(session, options, 'Unlink this connection?'))) {
      stdout.write('Nothing was changed.\n');
      return;
    }
    const tables = await withWarehouse(destination, (warehouse) =>
      unlinkConnection({ client, warehouse, signal }, file, settings),
    );
    if (options.json) printJson(stdout, { connection, destination, schedules: tables, deleted });
    else stdout.write(`Unlinked ${connection}. The tables stay in ${destination}\n`);
  });
}
