import { createLogUpdate } from 'log-update';
import type { RunOutcome, RunProgress, StartedRun } from '../../../connections/runs.ts';
import { count, printJson, printTable, visible } from '../../terminal/output.ts';
import { hideSecrets } from '../../../secrets.ts';
import type { Session } from '../../session.ts';

/** Lines that are not on a terminal come at most so often a table, or when its phase changes. */
const plainEveryMs = 10_000;

/** What `sync` tells people while it lasts, on stderr, and at the end, on stdout. */
export class SyncReport {
  readonly #session: Session;
  readonly #json: boolean;
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  readonly #told = new Map<string, { phase: string; at: number }>();
  readonly #ended: RunOutcome[] = [];
  #tables = 0;

  constructor(session: Session, json: boolean) {
    this.#session = session;
    this.#json = json;
    if (session.stderr.isTTY === true) this.#live = createLogUpdate(session.stderr as NodeJS.WritableStream);
  }

  /** A line that stays. */
  say(line: string): void {
    const text = hideSecrets(line);
    if (this.#live) this.#live.persist(text);
    else this.#session.stderr.write(`${text}\n`);
  }

  /** How many tables there will be. */
  begin(tables: number): void {
    this.#tables = tables;
  }

  started(runs: readonly StartedRun[]): void {
    this.begin(runs.length);
    const taken = runs.filter(({ how }) => how === 'taken_up').map(({ table }) => table);
    const replaced = runs.filter(({ how }) => how === 'replaced').map(({ table }) => table);
    if (taken.length > 0) this.say(`Goes on with the open runs of ${taken.join(', ')}.`);
    if (replaced.length > 0)
      this.say(`Cancelled the open runs of ${replaced.join(', ')}: they had other settings.`);
  }

  progressed(progress: readonly RunProgress[]): void {
    if (this.#live) {
      const done = `${this.#ended.length} of ${this.#tables} tables done`;
      this.#live([...progress.map((run) => this.#line(run)), done].join('\n'));
      return;
    }
    for (const run of progress) {
      const told = this.#told.get(run.table);
      const phase = run.retrying ? `retrying ${run.retrying.attempt}` : run.phase;
      if (told && told.phase === phase && Date.now() - told.at < plainEveryMs) continue;
      this.#told.set(run.table, { phase, at: Date.now() });
      this.#session.stderr.write(`${this.#line(run)}\n`);
    }
  }

  ended(outcome: RunOutcome): void {
    this.#ended.push(outcome);
  }

  /**
   * Prints the report; what failed comes last, with what to do.
   * @param destination where the tables are, if they stay.
   */
  close(destination?: string): void {
    this.#live?.clear();
    const { stdout } = this.#session;
    // As they ended would be another order every time.
    const ended = this.#ended.toSorted((a, b) => (a.table < b.table ? -1 : 1));
    if (this.#json) {
      printJson(stdout, { destination, tables: ended });
      return;
    }
    const rows = ended.map(printed);
    printTable(stdout, rows, [
      { head: 'table', value: ({ table }) => table },
      { head: 'rows', value: ({ rows }) => rows, align: 'right' },
      { head: 'new', value: ({ inserted }) => inserted, align: 'right' },
      { head: 'changed', value: ({ updated }) => updated, align: 'right' },
      { head: 'gone', value: ({ dropped }) => dropped, align: 'right' },
      { head: 'requests', value: ({ requests }) => requests, align: 'right' },
      { head: 'bytes', value: ({ bytes }) => bytes, align: 'right' },
      { head: 'seconds', value: ({ seconds }) => seconds, align: 'right' },
      { head: 'read', value: ({ read }) => read, wrap: true },
    ]);
    for (const outcome of ended) this.#remark(outcome);
    const hasTables = ended.some(({ status }) => status === 'synced');
    if (destination !== undefined && hasTables) stdout.write(`Tables are in ${destination}\n`);
  }

  #remark(outcome: RunOutcome): void {
    const { stderr } = this.#session;
    const say = (line: string) => stderr.write(hideSecrets(`${line}\n`));
    if (outcome.status === 'failed') {
      const { table, message } = outcome;
      // Some messages name the table themselves.
      say(`error: ${message.startsWith(`${table}: `) ? '' : `${table}: `}${visible(message)}`);
      say(`  → ${outcome.advice}`);
    }
    if (outcome.status === 'cancelled' && !this.#session.signal.aborted) {
      say(`error: ${outcome.table}: somebody else cancelled its run.`);
      say('  → Run it again.');
    }
    if (outcome.status === 'synced') {
      for (const note of outcome.result.notes) say(`note: ${outcome.table}: ${visible(note)}`);
    }
  }

  #line({ table, phase, read, windows, retrying }: RunProgress): string {
    const figures =
      read && read.pages > 0 ? ` ${count(read.rows, 'row')}, ${count(read.requests, 'request')}` : '';
    const open = windows && windows.open > 1 ? `, ${windows.open} windows open` : '';
    const again = retrying ? ` · retrying (attempt ${retrying.attempt}): ${visible(retrying.message)}` : '';
    return hideSecrets(`${table.padEnd(18)} ${phase}${figures}${open}${again}`);
  }
}

/** A row of the report; what is unknown stays empty. */
function printed(outcome: RunOutcome) {
  const { table } = outcome;
  if (outcome.status !== 'synced') {
    const none = { rows: '', inserted: '', updated: '', dropped: '', requests: '', bytes: '', seconds: '' };
    return { table, ...none, read: outcome.status };
  }
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
