import { Command, InvalidArgumentError, Option } from 'commander';
import type { HistorySource, PastRun } from '../../../connections/runs/run-history.ts';
import { defaultSettingsFile } from '../../../settings/settings.ts';
import { type Operated, operating, type OperatingOptions } from '../../options/operating.ts';
import { withWarehouse } from '../../options/settings-options.ts';
import type { Session } from '../../session.ts';
import { tellFailures } from '../../terminal/failure.ts';
import { examples } from '../../terminal/help.ts';
import { printJson } from '../../terminal/output.ts';
import { printRun, printRuns, runAsFacts } from './report.ts';

type RunsOptions = OperatingOptions & { readonly limit: number };

/** `runs`: the history of a connection's runs. */
export function runsCommand(session: Session): Command {
  const command = new Command('runs')
    .description(
      'the latest runs of tables, newest first, as the Temporal server and the tables themselves remember them; ' +
        'runs show <id> shows everything about one run',
    )
    .argument('[table...]', 'the tables; all tables of the settings if none is named')
    .addOption(new Option('--limit <n>', 'how many runs').default(20).argParser(howMany));
  addCommonOptions(command)
    .addHelpText(
      'after',
      examples(
        ['The latest runs', 'incident-io-source runs'],
        ['Those of one table', 'incident-io-source runs incidents --limit 50'],
        ['Why did it fail?', 'incident-io-source runs show 1f3a9c20'],
        ['Failed runs', `incident-io-source runs --json | jq '.[] | select(.outcome == "failed")'`],
      ),
    )
    .action((names: string[], options: RunsOptions) => listRuns(session, names, options));
  addCommonOptions(command.command('show'))
    .description('all about one run: what it read and why, what it committed, notes, failure')
    .argument('<id>', 'the id, or the end of it, as runs prints it; or a workflow id')
    .addHelpText('after', examples(['By the end of its id', 'incident-io-source runs show 1f3a9c20']))
    .action((id: string, _own: object, show: Command) => showRun(session, id, show.optsWithGlobals()));
  return command;
}

function addCommonOptions(command: Command): Command {
  return command
    .option('--settings <file>', 'settings of the connection', defaultSettingsFile)
    .option('--json', 'print JSON');
}

async function listRuns(session: Session, names: readonly string[], options: RunsOptions): Promise<void> {
  const { runs, unread } = await withHistory(session, names, options, async (source) => {
    const { runHistory } = await import('../../../connections/runs/run-history.ts');
    return runHistory(source, options.limit);
  });
  tellFailures(session, unread, 'note');
  if (options.json) printJson(session.stdout, runs.map(runAsFacts));
  else printRuns(session.stdout, runs);
}

async function showRun(session: Session, id: string, options: OperatingOptions): Promise<void> {
  const run: PastRun = await withHistory(session, [], options, async (source) => {
    const { findRun } = await import('../../../connections/runs/run-history.ts');
    return findRun(source, id);
  });
  if (options.json) printJson(session.stdout, runAsFacts(run));
  else printRun(session.stdout, run);
}

/** Opens the sources of the history for as long as `work` lasts. */
function withHistory<T>(
  session: Session,
  names: readonly string[],
  options: OperatingOptions,
  work: (source: HistorySource) => Promise<T>,
): Promise<T> {
  return operating(session, names, options, ({ client, settings, tables }: Operated) =>
    withWarehouse(settings.destination, (warehouse) => work({ client, warehouse, settings, tables })),
  );
}

function howMany(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000) {
    throw new InvalidArgumentError('Give a number from 1 to 1000.');
  }
  return value;
}
