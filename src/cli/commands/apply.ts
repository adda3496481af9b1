import { Command } from 'commander';
import type { TableChange } from '../../connections/apply.ts';
import type { Neighbour } from '../../connections/schedule/neighbours.ts';
import { type Settings, settingsVersion } from '../../settings/settings.ts';
import type { Upgrade } from '../../settings/version-1.ts';
import {
  addChangingOptions,
  type ChangingOptions,
  isAgreed,
  mayAsk,
  withTemporal,
  withWarehouse,
} from '../options/settings-options.ts';
import type { Session } from '../session.ts';
import { tellFailures } from '../terminal/failure.ts';
import { examples } from '../terminal/help.ts';
import { printJson } from '../terminal/output.ts';
import { changesAsJson, printChanges, tellNeighbours, tellUnanswered } from '../terminal/schedule-changes.ts';
import { writeText } from '../terminal/text.ts';

type ApplyOptions = ChangingOptions & { readonly dryRun?: true };

/** `apply`: updates the schedules to match the settings. */
export function applyCommand(session: Session): Command {
  return addChangingOptions(
    new Command('apply').description(
      'update the schedules to match the settings file; prints the difference first',
    ),
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
  const [{ readSettingsFile }, { applySchedules, planApply }, { neighboursOf }] = await Promise.all([
    import('../../settings/file.ts'),
    import('../../connections/apply.ts'),
    import('../../connections/schedule/neighbours.ts'),
  ]);
  const { settings, upgrade } = await readSettingsFile(options.settings);
  const account = await ownAccount(session, settings);
  await withTemporal(session, async (client) => {
    const changes = await planApply(client, settings, account);
    // Schedules of a new connection are created by apply as well, if its settings were written by hand.
    const isNew = changes.every(({ change }) => change === 'create');
    const neighbours = isNew ? await neighboursOf(client, settings) : [];
    const plan = { file: options.settings, settings, upgrade, changes, neighbours };
    if (!(await isToApply(session, options, plan))) {
      if (options.json) printAsJson(session, plan, false);
      return;
    }
    const { unanswered } = await applySchedules(client, settings, changes, session.signal);
    tellUnanswered(session, unanswered);
    if (upgrade) await rewrite(plan.file, upgrade);
    if (options.json) printAsJson(session, plan, true);
    else tellDone(session, plan);
  });
}

/** What `apply` would do. */
type Plan = {
  readonly file: string;
  readonly settings: Settings;
  readonly upgrade: Upgrade | undefined;
  readonly changes: readonly TableChange[];
  readonly neighbours: readonly Neighbour[];
};

/** Prints the plan and asks, unless nothing is to be changed. Throws `UsageError` if nobody can answer. */
async function isToApply(session: Session, options: ApplyOptions, plan: Plan): Promise<boolean> {
  const { stdout, stderr } = session;
  const { file, settings, upgrade, changes, neighbours } = plan;
  const schedulesDiffer = changes.some(({ change }) => change !== 'none');
  if (!schedulesDiffer && !upgrade) {
    if (!options.json) stdout.write('nothing to change\n');
    return false;
  }
  if (!options.json && schedulesDiffer) printChanges(stdout, settings, changes);
  if (!options.json && upgrade) writeText(stdout, upgradeInWords(file, upgrade));
  tellNeighbours(session, settings, neighbours);
  if (options.dryRun) {
    if (!options.json) stdout.write('\nNothing was changed (--dry-run).\n');
    return false;
  }
  if (!schedulesDiffer && !options.yes && !mayAsk(session, options)) {
    // The schedules already match, so a pipeline should not fail.
    writeText(stderr, 'note: nothing was changed. To rewrite the settings file, add --yes.');
    return false;
  }
  const question = !upgrade
    ? 'Change the schedules?'
    : schedulesDiffer
      ? 'Change the schedules and rewrite the settings file?'
      : 'Rewrite the settings file?';
  if (await isAgreed(session, options, question, neighbours.length === 0)) return true;
  stdout.write('Nothing was changed.\n');
  return false;
}

/** What changes in a settings file of an older version. */
function upgradeInWords(file: string, { renamed }: Upgrade): string {
  const lines = [...renamed].map(([now, before]) => `  ${before} → ${now}`);
  return [`${file} is rewritten from version 1 of the settings format to ${settingsVersion}:`, ...lines].join(
    '\n',
  );
}

async function rewrite(file: string, upgrade: Upgrade): Promise<void> {
  const { writeUpgrade } = await import('../../settings/write.ts');
  await writeUpgrade(file, upgrade);
}

function printAsJson(
  { stdout }: Session,
  { settings, upgrade, changes, neighbours }: Plan,
  applied: boolean,
): void {
  const { connection, destination } = settings;
  printJson(stdout, {
    connection,
    destination,
    applied,
    changes: changesAsJson(changes),
    other_connections: neighbours,
    renamed_settings: [...(upgrade?.renamed ?? [])].map(([to, from]) => ({ from, to })),
  });
}

/** Throws `AccountMismatchError`. */
async function ownAccount(session: Session, settings: Settings): Promise<string> {
  const { checkedAccount } = await import('../../connections/account.ts');
  const { account, unread } = await withWarehouse(settings.destination, (warehouse) =>
    checkedAccount(warehouse, settings, session.signal),
  );
  tellFailures(session, unread, 'note');
  return account;
}

function tellDone({ stdout }: Session, { file, upgrade, changes }: Plan): void {
  if (upgrade) stdout.write(`\n${file} now has version ${settingsVersion} of the settings format.\n`);
  stdout.write('\nThe schedules match the settings.\n');
  const created = changes.filter(({ change }) => change === 'create').map(({ table }) => table);
  if (created.length > 0) {
    writeText(
      stdout,
      `New tables are first synced after their first interval. To sync them now:
  incident-io-source trigger ${created.join(' ')}`,
    );
  }
}
