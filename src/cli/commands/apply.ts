import { Command } from 'commander';
import type { TableChange } from '../../connections/apply.ts';
import type { Settings } from '../../settings/settings.ts';
import { tableNamed } from '../../tables/index.ts';
import {
  addChangingOptions,
  type ChangingOptions,
  isAgreed,
  withTemporal,
  withWarehouse,
} from '../options/settings-options.ts';
import type { Session } from '../session.ts';
import { tellFailures } from '../terminal/failure.ts';
import { examples } from '../terminal/help.ts';
import { printJson } from '../terminal/output.ts';
import { changesAsJson, printChanges, tellUnanswered } from '../terminal/schedule-changes.ts';

type ApplyOptions = ChangingOptions & { readonly dryRun?: true };

/** `apply`: updates the schedules to match the settings. */
export function applyCommand(session: Session): Command {
  return addChangingOptions(
    new Command('apply')
      .summary('update the schedules to match the settings file')
      .description('update the schedules to match the settings file; prints the difference first'),
  )
    .option('--dry-run', 'only print what would change')
    .addHelpText(
      'after',
      examples(
        ['What would change?', 'incident-io-source apply --dry-run'],
        ['From a pipeline, after a merge', 'incident-io-source apply --settings incident-io.json --yes'],
        [
          'How many schedules differ?',
          `incident-io-source apply --dry-run --json | jq '[.changes[] | select(.change != "none")] | length'`,
        ],
      ),
    )
    .action((options: ApplyOptions) => apply(session, options));
}

async function apply(session: Session, options: ApplyOptions): Promise<void> {
  const [{ readSettings }, { applySchedules, planApply }] = await Promise.all([
    import('../../settings/file.ts'),
    import('../../connections/apply.ts'),
  ]);
  const settings = await readSettings(options.settings);
  const account = await ownAccount(session, settings);
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

/** The account of the key, once no table is found to be fed by another one. */
async function ownAccount(session: Session, settings: Settings): Promise<string> {
  const [{ accountOf, assertOwnTables }, { resolveKey }] = await Promise.all([
    import('../../connections/account.ts'),
    import('../../settings/key.ts'),
  ]);
  const { baseUrl, destination } = settings;
  const apiKey = await resolveKey(settings.apiKey);
  const account = await accountOf({ apiKey, baseUrl }, session.signal);
  const tables = Object.keys(settings.tables).map(tableNamed);
  const unreadable = await withWarehouse(destination, (warehouse) =>
    assertOwnTables(warehouse, tables, account),
  );
  tellFailures(session, unreadable, 'note');
  return account;
}

function tellDone({ stdout }: Session, changes: readonly TableChange[]): void {
  stdout.write('\nThe schedules match the settings.\n');
  const created = changes.filter(({ change }) => change === 'create').map(({ table }) => table);
  if (created.length > 0) {
    stdout.write('New tables are first synced at their next interval. To sync them now:\n');
    stdout.write(`  incident-io-source trigger ${created.join(' ')}\n`);
  }
}
