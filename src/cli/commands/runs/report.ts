import type { PastRun } from '../../../connections/runs/run-history.ts';
import { hideSecrets } from '../../../secrets.ts';
import type { Output } from '../../session.ts';
import { count, type PrintedColumn, printTable, span, visible } from '../../terminal/output.ts';
import { runAsJson } from '../../terminal/run-as-json.ts';
import { writeText } from '../../terminal/text.ts';

/** The end of an id, which tells runs apart; its beginning is the time, which runs share. */
const shownId = 8;

/** Prints one line per run. */
export function printRuns(output: Output, runs: readonly PastRun[]): void {
  if (runs.length === 0) {
    writeText(output, 'No runs yet, or the Temporal server has forgotten them and the tables are empty.');
    return;
  }
  printTable(output, runs, columns);
  writeText(output, '\nAll about one of them:');
  output.write(`  incident-io-source runs show ${idOf(runs[0]!)}\n`);
}

const columns: readonly PrintedColumn<PastRun>[] = [
  { head: 'run', value: idOf },
  { head: 'table', value: ({ table }) => table },
  { head: 'started', value: startOf },
  { head: 'outcome', value: outcomeOf },
  { head: 'rows', value: (run) => shown(figuresOf(run)?.rows), align: 'right' },
  { head: 'seconds', value: ({ result }) => result?.seconds.toFixed(1) ?? '', align: 'right' },
  { head: 'why', value: whyOf, wrap: true },
];

function idOf({ id }: PastRun): string {
  return id.slice(-shownId);
}

/** `11-28 21:31Z`: a history is mostly of the last days. */
function startOf({ started, ended }: PastRun): string {
  const time = started ?? ended;
  return time === undefined
    ? ''
    : `${time.slice('2026-'.length, '2026-11-28T21:31'.length).replace('T', ' ')}Z`;
}

function outcomeOf({ outcome, result }: PastRun): string {
  if (result?.unavailable) return 'not available';
  return outcome === 'timed_out' ? 'timed out' : outcome;
}

function shown(figure: number | undefined): string {
  return figure === undefined ? '' : count(figure);
}

/** Rows after the run and its changes: from its result, or from its commit if the server has forgotten the result. */
function figuresOf({ result, commit }: PastRun) {
  if (result?.unavailable) return undefined;
  if (!result) return commit;
  const { rows, version, fullRead, changes } = result;
  return { rows, version, fullRead, ...changes };
}

/** The reason for its failure; otherwise why everything was read, or the time since which changes were read. */
function whyOf({ failure, result, commit }: PastRun): string {
  if (failure) return hideSecrets(visible(failure.message));
  // Whole times would not fit next to the other columns.
  if (result) return result.reason.replace(/(\d{4}-\d\d-\d\d)T(\d\d:\d\d):[\d.]+Z/, '$1 $2Z');
  if (!commit) return '';
  return commit.fullRead ? 'everything' : 'changes';
}

/** Prints everything that is known about one run. */
export function printRun(output: Output, run: PastRun): void {
  const { id, table, workflowId, started, ended, result, failure } = run;
  const figures = figuresOf(run);
  const facts: readonly (readonly [name: string, value: string | undefined])[] = [
    ['run', id],
    ['table', table],
    ['outcome', outcomeOf(run)],
    ['started', started],
    ['ended', ended],
    ['took', result && !result.unavailable ? spanOf(result.seconds) : undefined],
    [
      'waited',
      result?.queuedSeconds === undefined ? undefined : `${spanOf(result.queuedSeconds)} for a worker`,
    ],
    ['read', result && !result.unavailable ? readOf(result) : undefined],
    ['version', figures && String(figures.version)],
    ['rows', figures && count(figures.rows)],
    ['changes', figures?.inserted === undefined ? undefined : changesOf(figures)],
    ['workflow', workflowId],
  ];
  for (const [name, value] of facts) if (value !== undefined) writeText(output, `${name.padEnd(9)} ${value}`);
  if (!workflowId)
    writeText(output, 'note: the Temporal server has forgotten this run; the table’s log has not.');
  for (const note of result?.notes ?? []) writeText(output, hideSecrets(visible(`note: ${note}`)));
  const problem = failure ?? result?.unavailable;
  if (problem) {
    const kind = failure ? 'error' : 'note';
    writeText(output, hideSecrets(`${kind}: ${visible(problem.message)}\n  → ${problem.advice}`));
  }
}

function spanOf(seconds: number): string {
  return seconds < 120 ? `${seconds.toFixed(1)}s` : span(seconds);
}

function readOf({ fullRead, reason, read }: NonNullable<PastRun['result']>): string {
  const { rows, requests, bytes } = read;
  return `${fullRead ? `everything: ${reason}` : reason}; ${count(rows, 'row')}, ${count(requests, 'request')}, ${count(bytes, 'byte')}`;
}

function changesOf({
  inserted = 0,
  updated = 0,
  dropped = 0,
}: Partial<NonNullable<PastRun['commit']>>): string {
  return `${count(inserted)} new, ${count(updated)} changed, ${count(dropped)} gone`;
}

/** A run for a machine, in the shape that every command uses. */
export function runAsFacts(run: PastRun): object {
  const { id, table, started: startedAt, ended: endedAt, result, commit } = run;
  const { at: _at, chainId: _chainId, ...committed } = commit ?? {};
  return {
    id,
    table,
    ...(!result && committed),
    ...runAsJson({ ...run, startedAt, endedAt }),
  };
}
