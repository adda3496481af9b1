import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Settings } from '../../settings/settings.ts';
import { examples } from '../terminal/help.ts';
import { ownKeyFile } from '../../settings/key-file.ts';
import { printJson } from '../terminal/output.ts';
import type { Session } from '../session.ts';
import {
  addChangingOptions,
  type ChangingOptions,
  isAgreed,
  withTemporal,
} from '../options/settings-options.ts';

/** `unlink`: takes a connection back; its tables stay. */
export function unlinkCommand(session: Session): Command {
  return addChangingOptions(
    new Command('unlink')
      .summary('end a connection; its tables stay')
      .description(
        'end a connection: its schedules, runs, staging, settings and the key file that link wrote; tables stay',
      ),
  )
    .addHelpText(
      'after',
      examples(
        ['By a question', 'incident-io-source unlink'],
        ['Without a terminal', 'incident-io-source unlink --settings prod/incident-io.json --yes'],
      ),
    )
    .action((options: ChangingOptions) => unlink(session, options));
}

async function unlink(session: Session, options: ChangingOptions): Promise<void> {
  const [{ readSettings }, { removeSchedules }] = await Promise.all([
    import('../../settings/file.ts'),
    import('../../connections/schedules.ts'),
  ]);
  const { stdout } = session;
  const settings = await readSettings(options.settings);
  const { connection, destination } = settings;
  const keyFile = keyFileOf(settings);
  const deleted = [resolve(options.settings), ...(keyFile ? [keyFile] : [])];
  if (!options.json) {
    stdout.write(`connection  ${connection}\n`);
    stdout.write(`deletes     its schedules, ${deleted.join(', ')}\n`);
    stdout.write(`keeps       the tables in ${destination}\n\n`);
  }
  await withTemporal(session, async (client) => {
    if (!(await isAgreed(session, options, 'Unlink this connection?'))) {
      stdout.write('Nothing was changed.\n');
      return;
    }
    const { tables, unanswered } = await removeSchedules(client, settings, session.signal);
    for (const id of unanswered) {
      // No worker carries out the cancellation, and none writes: what the run staged is swept here.
      await client.workflow.getHandle(id).terminate('incident-io-source unlink: no worker answers');
    }
    await sweepStaging(destination, new Set([...tables, ...Object.keys(settings.tables)]));
    // The settings last: until they are gone, a command that was interrupted can be run again.
    if (keyFile) await rm(keyFile, { force: true });
    await rm(options.settings);
    if (options.json) printJson(stdout, { connection, destination, schedules: tables, deleted });
    else stdout.write(`Unlinked ${connection}. The tables stay in ${destination}\n`);
  });
}

/** The key file, if it is one that `link` wrote. */
function keyFileOf({ connection, apiKey }: Settings): string | undefined {
  const own = ownKeyFile(connection);
  return 'file' in apiKey && apiKey.file === own ? own : undefined;
}

async function sweepStaging(destination: string, tables: ReadonlySet<string>): Promise<void> {
  const [{ openStore }, { stagingFolder }] = await Promise.all([
    import('../../warehouse/store/open-store.ts'),
    import('../../warehouse/store/store.ts'),
  ]);
  const store = await openStore(destination);
  for (const table of tables) await store.deleteAll(`${stagingFolder}/${table}/`);
}
