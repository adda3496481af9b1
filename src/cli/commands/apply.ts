import { Command } from 'commander';
import type { TableChange } from '../../connections/schedules.ts';
import { resolveKey } from '../../settings/key.ts';
import { examples } from '../terminal/help.ts';
import { printJson } from '../terminal/output.ts';
import { changesAsJson, printChanges, tellUnanswered } from '../terminal/schedule-changes.ts';
import type { Session } from '../session.ts';
import {
  accountOf,
  addChangingOptions,
  assertOwnTables,
  type ChangingOptions,
  isAgreed,
  withTemporal,
} from '../options/settings-options.ts';

type ApplyOptions = ChangingOptions & { readonly dryRun?: true };

/** `apply`: makes the schedules be what the settings say. */
export function applyCommand(session: Session): Command {
  return addChangingOptions(
    new Command('apply')
      .summary('make the schedules be what the settings say')
      .description('make the schedules be what the settings file says; prints the difference first'),
  )
    .option('--dry-run', 'only print what would be done')
    .addHelpText(
      'after',
      examples(
        ['What would change?', 'incident-io-source apply --dry-run'],
        ['From a pipeline, after a merge', 'incident-io-source apply --settings incident-io.json --yes'],
        [
          'Does anything differ?',
          `incident-io-source apply --dry-run --json | jq '[.changes[] | select(.change != "none")] | length'`,
        ],
      ),
    )
    .action((options: ApplyOptions) => apply(session, options));
}

async function apply(session: Session, options: ApplyOptions): Promise<void> {
  const [{ readSettings }, { applySchedules, planApply }] = await Promise.all([
    import('../../settings/file.ts'),
    import('../../connections/schedules.ts'),
  ]);
  const settings = await readSettings(options.settings);
  const account = await accountOf(session, settings, await resolveKey(settings.apiKey));
  await assertOwnTables(settings, account);
  await withTemporal(session, async (client) => {
    const { stdout } = session;
    const changes = await planApply(client, settings, account);
    const asJson = (applied: boolean) => {
      const { connection, destination } = settings;
      printJson(stdout, { connection, destination, applied, changes: changesAsJson(changes) });
    };
    if (changes.every(({ change }) => change === 'none')) {
      if (options.json) asJson(false);
      else stdout.write('nothing to change\n');
      return;
    }
    if (!options.json) printChanges(stdout, settings, changes);
    if (options.dryRun) {
      if (options.json) asJson(false);
      else stdout.write('\nNothing was changed (--dry-run).\n');
      return;
    }
    if (!(await isAgreed(session, options, 'Change the schedules?'))) {
      stdout.write('Nothing was changed.\n');
      return;
    }
    const { unanswered } = await applySchedules(client, settings, changes, session.signal);
    tellUnanswered(session, unanswered);
    if (options.json) asJson(true);
    else tellDone(session, changes);
  });
}

function tellDone({ stdout }: Session, changes: readonly TableChange[]): void {
  stdout.write('\nThe schedules are as the settings say.\n');
  const created = changes.filter(({ change }) => change === 'create').map(({ table }) => table);
  if (created.length > 0) {
    stdout.write(
      `New tables come with their first interval; now: incident-io-source trigger ${created.join(' ')}\n`,
    );
  }
}
