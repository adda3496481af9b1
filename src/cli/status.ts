import { setTimeout as sleep } from 'node:timers/promises';
import { Writable } from 'node:stream';
import { Command, Option } from 'commander';
import type { EndedRun, TableStatus } from '../temporal/operate-status.ts';
import { examples } from './help.ts';
import { addOperatingOptions, type Operated, operating, type OperatingOptions } from './operating.ts';
import { count, type PrintedColumn, printJson, printTable, visible } from './output.ts';
import { hideSecrets } from '../secrets.ts';
import type { Output, Session } from './session.ts';

type StatusOptions = OperatingOptions & { readonly watch?: true };

const redrawEveryMs = 2_000;
/** Below this a terminal shows the columns people look for first. */
const wideColumns = 140;

/** `status`: how the tables of a connection are doing. */
export function statusCommand(session: Session): Command {
  return addOperatingOptions(
    new Command('status').description(
      'how tables are doing: last and next run, rows, lag, errors; exits with 1 where the last run failed',
    ),
  )
    .addOption(new Option('--watch', 'show it anew every few seconds, until Ctrl-C').conflicts('json'))
    .addHelpText(
      'after',
      examples(
        ['All tables', 'incident-io-source status'],
        ['Follow a first sync', 'incident-io-source status --watch'],
        [
          'Tables that lag more than an hour behind',
          `incident-io-source status --json | jq -r '.[] | select(.lagSeconds > 3600).table'`,
        ],
      ),
    )
    .action((names: string[], options: StatusOptions) => status(session, names, options));
}

async function status(session: Session, names: readonly string[], options: StatusOptions): Promise<void> {
  await operating(session, names, options, async (operated) => {
    const [{ statusOf }, { openDestination }] = await Promise.all([
      import('../temporal/operate-status.ts'),
      import('../warehouse/open-warehouse.ts'),
    ]);
    const { client, settings, tables } = operated;
    const { destination } = settings;
    const warehouse = await openDestination(destination);
    const read = () => Promise.all(tables.map((table) => statusOf(client, settings, table, warehouse)));
    try {
      if (options.watch) {
        await watch(session, operated, read);
        return;
      }
      const statuses = await read();
      if (statuses.some(needsSomebody)) session.exitCode = 1;
      if (options.json) printJson(session.stdout, statuses);
      else print(session.stdout, operated, statuses);
    } finally {
      await warehouse.close();
    }
  });
}

/** Whether the table is stale for a reason that a person should look at. */
function needsSomebody({ schedule, lastRun, tableError }: TableStatus): boolean {
  return schedule === 'missing' || tableError !== undefined || (lastRun !== undefined && isFailed(lastRun));
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
  for (const status of statuses) {
    for (const line of remarksOn(status)) output.write(`${hideSecrets(visible(line))}\n`);
  }
  output.write(`Connection ${settings.connection}, tables in ${settings.destination}\n`);
}

type Column = PrintedColumn<TableStatus>;
const table: Column = { head: 'table', value: ({ table }) => table };
const method: Column = { head: 'sync', value: ({ sync, every }) => `${sync}, ${every}` };
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
const nextRun: Column = { head: 'next run', value: nextRunOf };
const narrow = [table, method, lastRun, rows, lag, nextRun];
const wide: readonly Column[] = [
  table,
  {
    head: 'sync',
    value: ({ sync, incrementalField }) =>
      incrementalField === undefined ? sync : `${sync} (${incrementalField})`,
  },
  { head: 'every', value: ({ every }) => every },
  lastRun,
  { head: 'last success', value: ({ lastSuccess }) => minute(lastSuccess) },
  rows,
  { head: 'watermark', value: ({ watermark }) => minute(watermark) },
  lag,
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

/** What a person should know of a table beside its figures, and what to do. */
function remarksOn(status: TableStatus): string[] {
  const { table, schedule, note, running, lastRun, lastSuccess, tableError } = status;
  const lines: string[] = [];
  if (running) {
    const { phase, rows, requests, windows, retrying, workerAnswers } = running;
    const figures = rows ? `, ${count(rows, 'row')}, ${count(requests ?? 0, 'request')}` : '';
    const open = windows && windows.open > 1 ? `, ${windows.open} windows open` : '';
    lines.push(`running: ${table}: ${phase}${figures}${open}`);
    if (retrying) lines.push(`  retrying (attempt ${retrying.attempt}): ${retrying.message}`);
    if (!workerAnswers)
      lines.push('  → No worker answers: is one running? (incident-io-source worker, or up)');
  }
  if (note !== undefined) lines.push(`paused: ${table}: ${note}`);
  if (schedule === 'missing') {
    lines.push(`error: ${table} has no schedule.`, '  → Run apply: it makes the schedules.');
  }
  for (const said of lastRun?.result?.notes ?? []) lines.push(`note: ${table}: ${said}`);
  if (tableError) lines.push(`error: ${table}: ${tableError.message}`, `  → ${tableError.advice}`);
  if (lastRun && isFailed(lastRun)) {
    const { message, advice } = lastRun.failure ?? {
      message: 'the last run failed, and the Temporal server has forgotten why.',
      advice: 'Trigger the table to see.',
    };
    lines.push(`error: ${table}: ${message}`, `  → ${advice}`);
    lines.push(
      lastSuccess === undefined
        ? '  No run has succeeded yet.'
        : `  The last success was ${since(lastSuccess)} ago.`,
    );
  }
  return lines;
}

function isFailed({ outcome }: EndedRun): boolean {
  return outcome === 'failed' || outcome === 'timed_out' || outcome === 'terminated';
}

function since(time: string): string {
  return span(Math.max(0, (Date.now() - Date.parse(time)) / 1000));
}

/** `40s`, `12m`, `3h`, `9d`: the largest unit of which there are two, or the smallest. */
function span(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ] as const;
  for (const [unit, length] of units) {
    if (seconds >= 2 * length) return `${Math.floor(seconds / length)}${unit}`;
  }
  return `${Math.round(seconds)}s`;
}
