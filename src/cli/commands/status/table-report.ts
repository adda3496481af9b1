import { Writable } from 'node:stream';
import type { EndedRun } from '../../../connections/runs/ended-runs.ts';
import {
  isFailed,
  reasonOfFailure,
  reasonOfLateness,
  startWorker,
} from '../../../connections/status/table-health.ts';
import type { TableStatus } from '../../../connections/status/table-status.ts';
import { longWaitOf, waitingForWorker } from '../../../connections/runs/worker-wait.ts';
import { hideSecrets } from '../../../secrets.ts';
import type { Settings } from '../../../settings/settings.ts';
import type { Output } from '../../session.ts';
import { count, type PrintedColumn, printTable, span, visible } from '../../terminal/output.ts';
import { writeText } from '../../terminal/text.ts';

/** Narrower terminals show the columns that people look for first. */
const wideColumns = 140;

/** Prints the status of a connection's tables, then a remark on each table that needs one. */
export function printStatuses(
  output: Output,
  { connection, destination, webhooks }: Pick<Settings, 'connection' | 'destination' | 'webhooks'>,
  statuses: readonly TableStatus[],
): void {
  const isNarrow = output.isTTY === true && (output.columns ?? 80) < wideColumns;
  printTable(output, statuses, isNarrow ? narrow : wide);
  // Several tables that wait for the same worker share one remark.
  const waiting = statuses.filter(({ running }) => running?.workerAnswers === false);
  const grouped = waiting.length > 1 ? new Set(waiting) : new Set();
  if (grouped.size > 0) {
    const names = waiting.map(({ table }) => table).join(', ');
    writeText(output, `waiting: ${names}: no worker responds.\n  → ${startWorker}`);
  }
  for (const status of statuses) {
    for (const line of remarksOn(status, grouped.has(status))) {
      writeText(output, hideSecrets(visible(line)));
    }
  }
  output.write(`Connection ${connection}, tables in ${destination}\n`);
  if (webhooks) output.write(`${lastHint(statuses)}\n`);
}

/** The same as text, as wide as this terminal. */
export function statusesAsText(
  { columns }: Pick<Output, 'columns'>,
  settings: Pick<Settings, 'connection' | 'destination' | 'webhooks'>,
  statuses: readonly TableStatus[],
): string {
  let text = '';
  const collector = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const output: Output = Object.assign(collector, {
    isTTY: true,
    ...(columns !== undefined && { columns }),
  });
  printStatuses(output, settings, statuses);
  return text;
}

/** When the last webhook for one of these tables arrived. */
function lastHint(statuses: readonly TableStatus[]): string {
  const newest = statuses.reduce<TableStatus | undefined>(
    (found, status) => ((status.lastHint ?? '') > (found?.lastHint ?? '') ? status : found),
    undefined,
  );
  if (newest?.lastHint === undefined) return 'Webhooks: none received yet for these tables';
  return `Webhooks: the last one arrived ${since(newest.lastHint)} ago, for ${newest.table}`;
}

type Column = PrintedColumn<TableStatus>;
const table: Column = { head: 'table', value: ({ table }) => table };
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
/** Rows deleted in incident.io before this read are gone from the table. */
const fullRead: Column = {
  head: 'full read',
  value: ({ lastFullRead }) => (lastFullRead === undefined ? '' : `${since(lastFullRead)} ago`),
  align: 'right',
};
const nextRun: Column = { head: 'next run', value: nextRunOf };
const narrow: readonly Column[] = [
  table,
  { head: 'sync', value: ({ syncMethod, every }) => `${syncMethod}, ${every}` },
  lastRun,
  rows,
  lag,
  fullRead,
  nextRun,
];
const wide: readonly Column[] = [
  table,
  {
    head: 'sync',
    value: ({ syncMethod, incrementalField }) =>
      incrementalField === undefined ? syncMethod : `${syncMethod} (${incrementalField})`,
  },
  { head: 'every', value: ({ every }) => every },
  lastRun,
  { head: 'last success', value: ({ lastSuccess }) => secondOf(lastSuccess) },
  rows,
  { head: 'watermark', value: ({ watermark }) => secondOf(watermark) },
  lag,
  fullRead,
  nextRun,
];

/** `2026-11-23 21:25:58Z` */
function secondOf(time: string | undefined): string {
  return time === undefined ? '' : time.replace('T', ' ').replace(/\.\d+/, '');
}

function lastRunOf({ running, lastRun, lastSuccess }: TableStatus): string {
  if (running) {
    const verb = running.phase === waitingForWorker ? 'waiting' : 'running';
    return `${verb} for ${since(running.started)}`;
  }
  if (lastRun?.result?.unavailable)
    return `not available, tried ${since(new Date(lastRun.result.unavailable.since).toISOString())} ago`;
  if (lastRun) return `${shownOutcome[lastRun.outcome]} ${since(lastRun.ended ?? lastRun.started)} ago`;
  // The server has forgotten the run; the table has not.
  return lastSuccess === undefined ? 'none yet' : `synced ${since(lastSuccess)} ago`;
}

const shownOutcome: { readonly [O in EndedRun['outcome']]: string } = {
  synced: 'synced',
  failed: 'FAILED',
  cancelled: 'cancelled',
  terminated: 'TERMINATED',
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

function unavailableRemark({ table, lastRun }: TableStatus): string[] {
  const unavailable = lastRun?.result?.unavailable;
  return unavailable ? [`note: ${table}: ${unavailable.message}`, `  → ${unavailable.advice}`] : [];
}

/**
 * What people should know about a table in addition to its figures, and what to do.
 * @param isGrouped whether its wait for a worker is already part of the remark on several tables
 */
function remarksOn(status: TableStatus, isGrouped: boolean): string[] {
  const { table, schedule, note, lastRun, tableError } = status;
  const notes = lastRun?.result?.notes ?? [];
  return [
    ...(isGrouped ? [] : runningRemark(status)),
    ...(note === undefined ? [] : [`paused: ${table}: ${note}`]),
    ...(schedule === 'missing'
      ? [`error: ${table} has no schedule.`, '  → Run apply, which creates it.']
      : []),
    ...notes.map((text) => `note: ${table}: ${text}`),
    ...unavailableRemark(status),
    ...waitRemark(status),
    ...(tableError ? [`error: ${table}: ${tableError.message}`, `  → ${tableError.advice}`] : []),
    ...failureRemark(status),
    ...(isGrouped ? [] : lateRemark(status)),
  ];
}

function runningRemark({ table, running }: TableStatus): string[] {
  if (!running) return [];
  const { phase, rows, requests, windows, retrying, waitingUntil, workerAnswers } = running;
  const figures = rows ? `, ${count(rows, 'row')}, ${count(requests ?? 0, 'request')}` : '';
  const open = windows && windows.open > 1 ? `, ${windows.open} windows open` : '';
  return [
    `running: ${table}: ${phase}${figures}${open}`,
    ...(waitingUntil === undefined ? [] : [`  waiting until ${waitingUntil}, as the API asked`]),
    ...(retrying ? [`  retrying (attempt ${retrying.attempt}): ${retrying.message}`] : []),
    ...(workerAnswers ? [] : [`  → No worker responds. ${startWorker}`]),
  ];
}

/** The wait is not counted in the run's duration, so it explains a lag that the duration does not. */
function waitRemark({ table, lastRun }: TableStatus): string[] {
  const seconds = lastRun?.result && longWaitOf(lastRun.result);
  return seconds === undefined ? [] : [`note: ${table}: its last run waited ${span(seconds)} for a worker.`];
}

function failureRemark({ table, lastRun, lastSuccess }: TableStatus): string[] {
  if (!lastRun || !isFailed(lastRun)) return [];
  const { message, advice } = reasonOfFailure(lastRun);
  return [
    `error: ${table}: ${message}`,
    `  → ${advice}`,
    lastSuccess === undefined
      ? '  No run has succeeded yet.'
      : `  The last success was ${since(lastSuccess)} ago.`,
  ];
}

function lateRemark(status: TableStatus): string[] {
  const { table, lateSince } = status;
  if (lateSince === undefined) return [];
  const { message, advice } = reasonOfLateness(status);
  return [`late: ${table}: for ${since(lateSince)}; ${message}`, `  → ${advice}`];
}

function since(time: string): string {
  return span(Math.max(0, (Date.now() - Date.parse(time)) / 1000));
}
