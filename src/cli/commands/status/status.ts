import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import type { ReadStatuses } from '../../../connections/status/status-reader.ts';
import { healthOf, needsAttention } from '../../../connections/status/table-health.ts';
import { TemporalUnavailableError, UsageError } from '../../../errors.ts';
import { settingsFilesIn } from '../../../settings/files.ts';
import { defaultSettingsFile } from '../../../settings/settings.ts';
import { tables } from '../../../tables/index.ts';
import { type Operated, operating, type OperatingOptions } from '../../options/operating.ts';
import { withTemporal } from '../../options/settings-options.ts';
import { throwIfOutputLost } from '../../lost-output.ts';
import type { Session } from '../../session.ts';
import { examples } from '../../terminal/help.ts';
import { printJson } from '../../terminal/output.ts';
import { statusAsJson } from './as-json.ts';
import { printConnections } from './connection-report.ts';

import { printStatuses, statusesAsText } from './table-report.ts';

type StatusOptions = {
  readonly settings: readonly string[];
  readonly json?: true;
  readonly watch?: true;
};

const redrawEveryMs = 2_000;

const lateMeans = `
A table is late when its lag exceeds twice its sync frequency plus the duration
of its last successful run. Before the first sync: when no run is in progress
two intervals after it was scheduled. Paused tables are never late.
`;

/** `status`: how the tables of one connection, or many connections, are doing. */
export function statusCommand(session: Session): Command {
  return new Command('status')
    .description(
      'how tables are doing: last and next run, rows, lag, errors; with several settings files, one line per ' +
        'connection, worst first; exits with 1 if a run failed, a schedule is missing or a table is late',
    )
    .argument('[table...]', 'the tables; all tables of the settings if none is named')
    .addOption(
      new Option(
        '--settings <file...>',
        'settings file of the connection; several files, or folders of them',
      ).default([defaultSettingsFile], defaultSettingsFile),
    )
    .option('--json', 'print JSON')
    .addOption(new Option('--watch', 'show it again every few seconds, until Ctrl-C').conflicts('json'))
    .addHelpText(
      'after',
      `${lateMeans}${examples(
        ['All tables', 'incident-io-source status'],
        ['Is everything current, and if not, why?', 'incident-io-source status --settings connections/'],
        ['Follow a first sync', 'incident-io-source status --watch'],
        [
          'Tables that lag by more than an hour',
          `incident-io-source status --json |\n    jq -r '.[] | select(.lag_seconds > 3600).table'`,
        ],
      )}`,
    )
    .action((names: string[], options: StatusOptions) => status(session, names, options));
}

async function status(session: Session, named: readonly string[], options: StatusOptions): Promise<void> {
  // So that settings/*.json works, --settings takes everything that follows it, which may include table names.
  const names = [...named, ...options.settings.filter(isTable)];
  const given = options.settings.filter((name) => !isTable(name));
  const files = await settingsFilesIn(given.length > 0 ? given : [defaultSettingsFile]);
  const [file = defaultSettingsFile, ...others] = files;
  const isOne = others.length === 0 && (given.length === 0 || file === given[0]);
  if (isOne) {
    await statusOfTables(session, names, { ...options, settings: file });
    return;
  }
  if (names.length > 0 || options.watch) {
    throw new UsageError(
      `${options.watch ? '--watch needs' : 'Table names need'} a single connection, but ${files.length} settings files were given.`,
      'Name one of them with --settings.',
    );
  }
  await statusOfConnections(session, files, options.json === true);
}

const isTable = (name: string) => tables.some((table) => table.name === name);

async function statusOfTables(
  session: Session,
  names: readonly string[],
  options: OperatingOptions & Pick<StatusOptions, 'watch'>,
): Promise<void> {
  const { withStatusReader } = await import('../../../connections/status/status-reader.ts');
  const show = async (operated: Operated) => {
    const { client, settings, tables } = operated;
    await withStatusReader(client, settings, tables, async (read) => {
      if (options.watch) {
        await watch(session, operated, read);
        return;
      }
      const statuses = await read();
      if (statuses.some((status) => needsAttention(healthOf(status).state))) session.exitCode = 1;
      if (options.json) printJson(session.stdout, statuses.map(statusAsJson));
      else printStatuses(session.stdout, settings, statuses);
    });
  };
  await operating(session, names, options, show, options.watch && Infinity);
}

async function statusOfConnections(session: Session, files: readonly string[], json: boolean): Promise<void> {
  const { connectionHealths } = await import('../../../connections/status/connection-health.ts');
  const connections = await withTemporal(session, (client) => connectionHealths(files, client)).catch(
    (error: unknown) => {
      if (!(error instanceof TemporalUnavailableError)) throw error;
      return connectionHealths(files, error);
    },
  );
  if (connections.some(({ state }) => needsAttention(state))) session.exitCode = 1;
  if (json) printJson(session.stdout, connections);
  else printConnections(session.stdout, connections);
}

/** Redraws the status on a terminal, and prints it again elsewhere, until interrupted: that is not a failure. */
async function watch(session: Session, { settings }: Operated, read: ReadStatuses): Promise<void> {
  const { stdout, signal } = session;
  const { createLogUpdate } = await import('log-update');
  const live = stdout.isTTY === true ? createLogUpdate(stdout as NodeJS.WritableStream) : undefined;
  while (!signal.aborted) {
    const statuses = await read();
    if (live) live(statusesAsText(stdout, settings, statuses));
    else printStatuses(stdout, settings, statuses);
    await sleep(redrawEveryMs, undefined, { signal }).catch(() => undefined);
  }
  live?.done();
  throwIfOutputLost(signal);
}
