import { setTimeout as sleep } from 'node:timers/promises';
import { Writable } from 'node:stream';
import { Command, Option } from 'commander';
import { UsageError } from '../../../errors.ts';
import { defaultSettingsFile } from '../../../settings/settings.ts';
import { tables } from '../../../tables/index.ts';
import {
  isFailed,
  lateMeans,
  needsSomebody,
  reasonOf,
  reasonOfLateness,
  startWorker,
  tableState,
} from '../../../connections/fleet.ts';
import type { EndedRun, TableStatus } from '../../../connections/status.ts';
import { examples } from '../../terminal/help.ts';
import { type Operated, operating, type OperatingOptions } from '../../options/operating.ts';
import { count, type PrintedColumn, printJson, printTable, span, visible } from '../../terminal/output.ts';
import { hideSecrets } from '../../../secrets.ts';
import type { Output, Session } from '../../session.ts';
import { fleetStatus, readingStatuses, settingsIn } from './fleet.ts';

type StatusOptions = {
  readonly settings: readonly string[];
  readonly json?: true;
  readonly watch?: true;
};

const redrawEveryMs = 2_000;
/** Below this a terminal shows the columns people look for first. */
const wideColumns = 140;

/** `status`: how the tables of a connection are doing, or how many connections are. */
export function statusCommand(session: Session): Command {
  return new Command('status')
    .summary('how tables, or many connections, are doing')
    .description(
      'how tables are doing: last and next run, rows, lag, errors; of several settings a line a connection, worst ' +
        'first; exits with 1 where a run failed, a schedule is missing, or a table is late',
    )
    .argument('[table...]', 'the tables; all of the settings when none is named')
    .addOption(
      new Option(
        '--settings <file...>',
        'the settings of the connection; several files or folders of them',
      ).default([defaultSettingsFile], defaultSettingsFile),
    )
    .option('--json', 'print JSON')
    .addOption(new Option('--watch', 'show it anew every few seconds, until Ctrl-C').conflicts('json'))
    .addHelpText(
      'after',
      `\n${lateMeans}\n${examples(
        ['All tables', 'incident-io-source status'],
        ['Is everything current, and if not, why?', 'incident-io-source status --settings connections/'],
        ['Follow a first sync', 'incident-io-source status --watch'],
        [
          'Tables that lag more than an hour behind',
          `incident-io-source status --json | jq -r '.[] | select(.lagSeconds > 3600).table'`,
        ],
      )}`,
    )
    .action((names: string[], options: StatusOptions) => status(session, names, options));
}

async function status(session: Session, named: readonly string[], options: StatusOptions): Promise<void> {
  // The option takes all that follows it, for the sake of settings/*.json; names of tables may stand there too.
  const names = [...named, ...options.settings.filter(isTable)];
  const given = options.settings.filter((name) => !isTable(name));
  const files = await settingsIn(given.length > 0 ? given : [defaultSettingsFile]);
  const [file = defaultSettingsFile, ...others] = files;
  const isOne = others.length === 0 && (given.length === 0 || file === given[0]);
  if (isOne) {
    await statusOfOne(session, names, { ...options, settings: file });
    return;
  }
  if (names.length > 0 || options.watch) {
    throw new UsageError(
      `${options.watch ? '--watch follows' : 'Tables are told of in'} one connection, and there are ${files.length} settings files.`,
      'Name one of them with --settings.',
    );
  }
  await fleetStatus(session, files, options.json === true);
}

const isTable = (name: string) => tables.some((table) => table.name === name);

async function statusOfOne(
  session: Session,
  names: readonly string[],
  options: OperatingOptions & Pick<StatusOptions, 'watch'>,
): Promise<void> {
  await operating(session, names, options, async (operated) => {
    const { client, settings, tables } = operated;
    await readingStatuses(client, settings, tables, async (read) => {
      if (options.watch) {
        await watch(session, operated, read);
        return;
      }
      const statuses = await read();
      if (statuses.some((status) => needsSomebody(tableState(status).state))) session.exitCode = 1;
      if (options.json) printJson(session.stdout, statuses);
      else print(session.stdout, operated, statuses);
    });
  });
}

/** Draws over what was drawn before on a terminal, and below it elsewhere; being interrupted is how it ends. */
async function watch(
  session: Session,
  operated: Operated,
  read: () => Promise<TableStatus[]>,
): Promise<void> {
  const { stdout, signal } = session;
  const { createLogUpdate } = await import('log-update');
  const live = stdout.isTTY === true ? createLogUpdate(stdout as NodeJS.WritableStream) : undefined;
  while (!signal.aborted) {
    const statuses = await read();
    if (live) live(statusOnScreen(session, operated, statuses));
    else print(stdout, operated, statuses);
    await sleep(redrawEveryMs, undefined, { signal }).catch(() => undefined);
  }
  live?.done();
}

/** The text of a status as wide as the terminal that standard output is. */
export function statusOnScreen(
  session: Session,
  operated: Pick<Operated, 'settings'>,
  statuses: readonly TableStatus[],
): string {
  const { stdout } = session;
  let text = '';
  const output: Output = Object.assign(
    new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        text += chunk;
        done();
      },
    }),
    { isTTY: true, ...(stdout.columns !== undefined && { columns: stdout.columns }) },
  );
  print(output, operated, statuses);
  return text;
}

function print(
  output: Output,
  { settings }: Pick<Operated, 'settings'>,
  statuses: readonly TableStatus[],
): void {
  const isNarrow = output.isTTY === true && (output.columns ?? 80) < wideColumns;
  printTable(output, statuses, isNarrow ? narrow : wide);
  // Of one cause, told once.
  const waiting = statuses.filter(({ running }) => running?.workerAnswers === false);
  const grouped = waiting.length > 1 ? new Set(waiting) : new Set();
  if (grouped.size > 0) {
    const names = waiting.map(({ table }) => table).join(', ');
    output.write(`waiting: ${names}: no worker answers.\n  → ${startWorker}\n`);
  }
  for (const status of statuses) {
    for (const line of remarksOn(status, grouped.has(status)))
      output.write(`${hideSecrets(visible(line))}\n`);
  }
  output.write(`Connection ${settings.connection}, tables in ${settings.destination}\n`);
}

type Column = PrintedColumn<TableStatus>;
const table: Column = { head: 'table', value: ({ table }) => table };
const method: Column = { head: 'sync', value: ({ syncMethod, every }) => `${syncMethod}, ${every}` };
const lastRun: Column = { head: 'last run', value: lastRunOf, wrap: true };
const rows: Column = {
  head: 'rows',
  value: ({ rows }) => (rows === undefined ? '' : count(rows)),
  align: 'right',
};
const lag: Column = {
  head: 'lag',
  value: ({ lagSeconds }) => (lagSeconds === undefined ? '' : span(lagSeconds)),
  align: 'right',
};
/** When it was last read in full: deleted rows are gone from the table up to then. */
const fullRead: Column = {
  head: 'full read',
  value: ({ lastFullRead }) => (lastFullRead === undefined ? '' : `${since(lastFullRead)} ago`),
  align: 'right',
};
const nextRun: Column = { head: 'next run', value: nextRunOf };
const narrow = [table, method, lastRun, rows, lag, fullRead, nextRun];
const wide: readonly Column[] = [
  table,
  {
    head: 'sync',
    value: ({ syncMethod, incrementalField }) =>
      incrementalField === undefined ? syncMethod : `${syncMethod} (${incrementalField})`,
  },
  { head: 'every', value: ({ every }) => every },
  lastRun,
  { head: 'last success', value: ({ lastSuccess }) => minute(lastSuccess) },
  rows,
  { head: 'watermark', value: ({ watermark }) => minute(watermark) },
  lag,
  fullRead,
  nextRun,
];

/** `2026-11-23 21:25:58Z` */
function minute(time: string | undefined): string {
  return time === undefined ? '' : time.replace('T', ' ').replace(/\.\d+/, '');
}

function lastRunOf({ running, lastRun }: TableStatus): string {
  if (running) return `running for ${since(running.started)}`;
  if (!lastRun) return 'none yet';
  return `${said[lastRun.outcome]} ${since(lastRun.ended ?? lastRun.started)} ago`;
}

const said: { readonly [O in EndedRun['outcome']]: string } = {
  synced: 'synced',
  failed: 'FAILED',
  cancelled: 'cancelled',
  terminated: 'terminated',
  timed_out: 'TIMED OUT',
  unknown: 'ended',
};

function nextRunOf({ schedule, nextRun, buffered }: TableStatus): string {
  if (schedule === 'missing') return 'never';
  if (buffered) return 'at once';
  if (schedule === 'paused') return 'paused';
  if (nextRun === undefined) return '';
  return `in ${span(Math.max(0, (Date.parse(nextRun) - Date.now()) / 1000))}`;
}

/**
 * What a person should know of a table beside its figures, and what to do.
 * @param waits whether it was told already that its run waits for a worker
 */
function remarksOn(status: TableStatus, waits: boolean): string[] {
  const { table, schedule, note, running, lastRun, lastSuccess, tableError, lateSince } = status;
  const lines: string[] = [];
  if (running && !waits) {
    const { phase, rows, requests, windows, retrying, workerAnswers } = running;
    const figures = rows ? `, ${count(rows, 'row')}, ${count(requests ?? 0, 'request')}` : '';
    const open = windows && windows.open > 1 ? `, ${windows.open} windows open` : '';
    lines.push(`running: ${table}: ${phase}${figures}${open}`);
    if (retrying) lines.push(`  retrying (attempt ${retrying.attempt}): ${retrying.message}`);
    if (!workerAnswers) lines.push(`  → No worker answers. ${startWorker}`);
  }
  if (note !== undefined) lines.push(`paused: ${table}: ${note}`);
  if (schedule === 'missing') {
    lines.push(`error: ${table} has no schedule.`, '  → Run apply: it makes the schedules.');
  }
  for (const said of lastRun?.result?.notes ?? []) lines.push(`note: ${table}: ${said}`);
  if (tableError) lines.push(`error: ${table}: ${tableError.message}`, `  → ${tableError.advice}`);
  if (lastRun && isFailed(lastRun)) {
    const { message, advice } = reasonOf(lastRun);
    lines.push(`error: ${table}: ${message}`, `  → ${advice}`);
    lines.push(
      lastSuccess === undefined
        ? '  No run has succeeded yet.'
        : `  The last success was ${since(lastSuccess)} ago.`,
    );
  }
  if (lateSince !== undefined && !waits) {
    const { message, advice } = reasonOfLateness(status);
    lines.push(`late: ${table}: for ${since(lateSince)}; ${message}`, `  → ${advice}`);
  }
  return lines;
}

function since(time: string): string {
  return span(Math.max(0, (Date.now() - Date.parse(time)) / 1000));
}
