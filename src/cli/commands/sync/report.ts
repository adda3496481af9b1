import { createLogUpdate } from 'log-update';
import type { RunOutcome, RunProgress } from '../../../connections/runs/runs.ts';
import type { StartedRun } from '../../../connections/runs/start-run.ts';
import { longWaitOf } from '../../../connections/runs/worker-wait.ts';
import { count, type PrintedColumn, printJson, printTable, span, visible } from '../../terminal/output.ts';
import { hideSecrets } from '../../../secrets.ts';
import type { Session } from '../../session.ts';
import { outcomeAsJson } from '../../terminal/run-as-json.ts';
import { widthOf, wrapped, writeText } from '../../terminal/text.ts';

/** Without a terminal, a table gets a line at most this often, or when its phase changes. */
const plainEveryMs = 10_000;

/** What `sync` reports: progress to stderr, the result to stdout. */
export class SyncReport {
  readonly #session: Session;
  readonly #json: boolean;
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  /** How far a run was when it was first seen. */
  readonly #firstSeen = new Map<string, { readonly at: number; readonly done: number }>();
  readonly #lines = new Map<string, { phase: string; at: number }>();
  readonly #ended: RunOutcome[] = [];
  #tables = 0;

  constructor(session: Session, json: boolean) {
    this.#session = session;
    this.#json = json;
    if (session.stderr.isTTY === true) this.#live = createLogUpdate(session.stderr as NodeJS.WritableStream);
  }

  /** Prints a line that stays on the screen. */
  say(line: string): void {
    const text = hideSecrets(line);
    if (this.#live) this.#live.persist(wrapped(text, widthOf(this.#session.stderr)));
    else writeText(this.#session.stderr, text);
  }

  /** Sets how many tables there will be. */
  begin(tables: number): void {
    this.#tables = tables;
  }

  started(runs: readonly StartedRun[]): void {
    const taken = runs.filter(({ how }) => how === 'taken_up').map(({ table }) => table);
    const replaced = runs.filter(({ how }) => how === 'replaced').map(({ table }) => table);
    if (taken.length > 0) this.say(`Resuming runs already in progress: ${taken.join(', ')}.`);
    if (replaced.length > 0) {
      this.say(`Cancelled runs in progress that had other settings: ${replaced.join(', ')}.`);
    }
  }

  progressed(progress: readonly RunProgress[]): void {
    if (this.#live) {
      const done = `${this.#ended.length} of ${this.#tables} tables done`;
      this.#live([...progress.map((run) => this.#line(run)), done].join('\n'));
      return;
    }
    for (const run of progress) {
      const last = this.#lines.get(run.table);
      const phase = run.retrying ? `retrying ${run.retrying.attempt}` : run.phase;
      if (last && last.phase === phase && Date.now() - last.at < plainEveryMs) continue;
      this.#lines.set(run.table, { phase, at: Date.now() });
      this.#session.stderr.write(`${this.#line(run)}\n`);
    }
  }

  ended(outcome: RunOutcome): void {
    this.#ended.push(outcome);
  }

  /**
   * Prints the result; failures come last, with what to do.
   * @param destination where the tables are, if they stay
   */
  close(destination?: string): void {
    this.#live?.clear();
    const { stdout } = this.#session;
    // Not in the order in which they ended, which differs every time.
    const ended = this.#ended.toSorted((a, b) => (a.table < b.table ? -1 : 1));
    if (this.#json) {
      printJson(stdout, { destination, runs: ended.map(outcomeAsJson) });
      return;
    }
    const rows = ended.map(printed);
    const isNarrow = widthOf(stdout) < wideColumns;
    printTable(stdout, rows, [
      { head: 'table', value: ({ table }) => table },
      { head: 'rows', value: ({ rows }) => rows, align: 'right' },
      { head: 'new', value: ({ inserted }) => inserted, align: 'right' },
      { head: 'changed', value: ({ updated }) => updated, align: 'right' },
      { head: 'gone', value: ({ dropped }) => dropped, align: 'right' },
      ...(isNarrow ? [] : traffic),
      { head: 'seconds', value: ({ seconds }) => seconds, align: 'right' },
      { head: 'read', value: ({ read }) => read, wrap: true },
    ]);
    for (const outcome of ended) this.#remark(outcome);
    const hasTables = ended.some(({ status }) => status === 'synced');
    if (destination !== undefined && hasTables) stdout.write(`Tables are in ${destination}\n`);
  }

  #remark(outcome: RunOutcome): void {
    const { stderr } = this.#session;
    const say = (line: string) => writeText(stderr, hideSecrets(line));
    if (outcome.status === 'failed') {
      const { table, message } = outcome;
      // Some messages name the table themselves.
      say(`error: ${message.startsWith(`${table}: `) ? '' : `${table}: `}${visible(message)}`);
      say(`  → ${outcome.advice}`);
    }
    if (outcome.status === 'cancelled' && !this.#session.signal.aborted) {
      say(`error: ${outcome.table}: its run was cancelled, but not by this command.`);
      say('  → Run it again.');
    }
    if (outcome.status === 'synced') {
      const { unavailable } = outcome.result;
      if (unavailable)
        say(`note: ${outcome.table}: ${visible(unavailable.message)}\n  → ${unavailable.advice}`);
      for (const note of outcome.result.notes) say(`note: ${outcome.table}: ${visible(note)}`);
      const waited = longWaitOf(outcome.result);
      if (waited !== undefined) say(`note: ${outcome.table}: its run waited ${span(waited)} for a worker.`);
    }
  }

  /** How far a run that reads parent by parent is, and how long it will take at its speed so far. */
  #parents({ table, parents }: RunProgress): string {
    if (!parents || parents.total === 0) return '';
    const { done, total } = parents;
    const seen = this.#firstSeen.get(table) ?? { at: Date.now(), done };
    this.#firstSeen.set(table, seen);
    const perSecond = (done - seen.done) / ((Date.now() - seen.at) / 1_000);
    const left = perSecond > 0 ? `, about ${span((total - done) / perSecond)} left` : '';
    return `, ${done.toLocaleString('en')} of ${count(total, 'parent')}${left}`;
  }

  #line(run: RunProgress): string {
    const { table, phase, read, windows, retrying, waitingUntil } = run;
    const figures =
      read && read.pages > 0 ? ` ${count(read.rows, 'row')}, ${count(read.requests, 'request')}` : '';
    const open = windows && windows.open > 1 && !run.parents ? `, ${windows.open} windows open` : '';
    const parents = phase === 'reading' ? this.#parents(run) : '';
    const again = retrying ? ` · retrying (attempt ${retrying.attempt}): ${visible(retrying.message)}` : '';
    const wait =
      waitingUntil === undefined
        ? ''
        : ` · waiting until ${waitingUntil.slice(11, 19)} UTC, as the API asked`;
    return hideSecrets(`${table.padEnd(18)} ${phase}${figures}${open}${parents}${wait}${again}`);
  }
}

/** On a narrower terminal, all columns would cut the names of tables and leave no room for what was read. */
const wideColumns = 110;
const traffic: readonly PrintedColumn<ReturnType<typeof printed>>[] = [
  { head: 'requests', value: ({ requests }) => requests, align: 'right' },
  { head: 'bytes', value: ({ bytes }) => bytes, align: 'right' },
];

const noFigures = {
  rows: '',
  inserted: '',
  updated: '',
  dropped: '',
  requests: '',
  bytes: '',
  seconds: '',
};

/** One row of the result; unknown figures stay empty. */
function printed(outcome: RunOutcome) {
  const { table } = outcome;
  if (outcome.status !== 'synced') {
    return { table, ...noFigures, read: outcome.status };
  }
  if (outcome.result.unavailable) return { table, ...noFigures, read: outcome.result.reason };
  const { rows, changes, read, fullRead, reason, seconds } = outcome.result;
  return {
    table,
    rows: count(rows),
    inserted: changes ? count(changes.inserted) : '',
    updated: changes ? count(changes.updated) : '',
    dropped: changes ? count(changes.dropped) : '',
    requests: count(read.requests),
    bytes: count(read.bytes),
    seconds: seconds.toFixed(1),
    read: fullRead ? `everything: ${reason}` : reason,
  };
}
