import type { Client } from '@temporalio/client';
import { listedExecutions } from '../../connections/runs/listed-executions.ts';
import { type WatchedRun, watchedRun } from '../../connections/runs/run-in-progress.ts';
import { withStatusReader } from '../../connections/status/status-reader.ts';
import { healthOf, worstFirst } from '../../connections/status/table-health.ts';
import { listedSchedules } from '../../connections/schedule/schedule-facts.ts';
import { firstStatusOf, type TableStatus } from '../../connections/status/table-status.ts';
import { defined } from '../../defined.ts';
import { failureOf, isForeseen } from '../../failure.ts';
import { hideSecrets } from '../../secrets.ts';
import { readSettings } from '../../settings/file.ts';
import { intervalMs, type Settings } from '../../settings/settings.ts';
import { tableNamed } from '../../tables/index.ts';
import { sideBySide } from '../../warehouse/side-by-side.ts';
import { withDestination } from '../../warehouse/open-warehouse.ts';
import type { Problem } from '../contract/common.ts';
import type { LiveRun, SourceDetail } from '../contract/sources.ts';
import { Estimates } from './estimates.ts';
import { problemJson } from '../problem-json.ts';
import { tableJson } from './table-json.ts';
import type { Reading } from './topic.ts';

/** The pause between two looks. It grows with the time that the server takes to answer. */
type Pauses = readonly [shortest: number, longest: number];
const busyMs: Pauses = [1_000, 3_000];
const idleMs: Pauses = [2_500, 15_000];
/** Changes without a run, such as a pause by another program, are noticed after this time. */
const statusEveryMs = 30_000;
/** The time limit for one look: a server that hangs must not hold up the page. */
const limitMs = 30_000;
/** More than can be open at the same time (one by schedule and one outside it per table) or end between two looks. */
const mostListed = 300;
/** The server's index of runs lags by this much at most; the looks reach back far enough not to miss a run's end. */
const indexLagMs = 20_000;

/** Statuses that are read at the same time; each one costs several calls to the server. */
const atOnce = 8;

type KnownStatus = {
  readonly status: TableStatus;
  readonly readAt: number;
  /** Set if something has changed since: the status must be read again, those with the higher number first. */
  readonly due?: 1 | 2;
};

/** Counts the rows of tables, to tell how much of their first sync is done. */
export type CountRows = (
  settings: Settings,
  tables: readonly string[],
  signal: AbortSignal,
) => Promise<ReadonlyMap<string, number>>;

/**
 * Keeps the state of one connection for pages that watch it. Each look asks the server which runs are in progress and
 * how far they are. A table's status costs several calls, so it is read only when its runs change, or now and then.
 */
export class SourceWatch {
  readonly #client: Client;
  readonly #source: { readonly id: string; readonly file: string };
  readonly #countRows: CountRows;
  readonly #estimates = new Estimates();
  readonly #known = new Map<string, KnownStatus>();
  #open: ReadonlyMap<string, string> = new Map();
  /** Executions that had ended at the last look. */
  #ended: ReadonlySet<string> = new Set();
  #lookedAt: number | undefined;
  #settings = '';
  #account: string | undefined;
  /** Rows by table, once they have been counted; an empty map if that failed. */
  #counted: ReadonlyMap<string, number> | undefined;
  #countProblem: Problem | undefined;

  constructor(client: Client, source: { readonly id: string; readonly file: string }, countRows: CountRows) {
    this.#client = client;
    this.#source = source;
    this.#countRows = countRows;
  }

  /** Call after a change: the next look reads all statuses again. */
  forget(): void {
    for (const table of this.#known.keys()) this.#setDue(table, 1);
  }

  /** @param patienceMs how long to read statuses; the rest keep their older ones and are read by the next look */
  async read(signal: AbortSignal, patienceMs: number = limitMs): Promise<Reading<SourceDetail>> {
    const began = Date.now();
    const settings = await this.#readSettings();
    const runs = await this.#client.withDeadline(began + limitMs, async () => {
      const open = await this.#openRuns(settings);
      await this.#refresh(settings, open, began + patienceMs);
      return open;
    });
    await this.#count(settings, runs, signal);
    const state = this.#state(settings, runs);
    const tookMs = Date.now() - began;
    return { state, nextInMs: runs.size > 0 ? within(busyMs, tookMs) : within(idleMs, 4 * tookMs) };
  }

  async #readSettings(): Promise<Settings> {
    const settings = await readSettings(this.#source.file);
    const text = JSON.stringify(settings);
    if (text !== this.#settings) this.forget();
    this.#settings = text;
    return settings;
  }

  /** The newest run in progress of each table. Marks tables whose runs have ended since the last look as due. */
  async #openRuns(settings: Settings): Promise<ReadonlyMap<string, WatchedRun>> {
    const tables = Object.keys(settings.tables).map(tableNamed);
    const source = { client: this.#client, settings, tables };
    const since = this.#lookedAt;
    this.#lookedAt = Date.now();
    const running = 'ExecutionStatus = "Running"';
    // A run without changes takes less than a second, so most are never seen in progress.
    const ended =
      since === undefined ? '' : ` OR CloseTime > "${new Date(since - indexLagMs).toISOString()}"`;
    const listed = await listedExecutions(source, mostListed, `AND (${running}${ended})`);
    const over = listed.filter(({ isRunning }) => !isRunning);
    for (const { table, runId } of over) if (!this.#ended.has(runId)) this.#setDue(table, 2);
    this.#ended = new Set(over.map(({ runId }) => runId));
    const open = listed.filter(({ isRunning }) => isRunning);
    const runs = await Promise.all(
      open.map(async ({ table, workflowId }) => ({
        table,
        run: await watchedRun(this.#client, { workflowId }),
      })),
    );
    return new Map(runs.toReversed().flatMap(({ table, run }) => (run ? [[table, run] as const] : [])));
  }

  #setDue(table: string, due: 1 | 2): void {
    const known = this.#known.get(table);
    if (known) this.#known.set(table, { ...known, due });
  }

  /** Reads the statuses that may be outdated, beginning with tables whose runs have changed. */
  async #refresh(settings: Settings, runs: ReadonlyMap<string, WatchedRun>, until: number): Promise<void> {
    const open = new Map([...runs].map(([table, { workflowId }]) => [table, workflowId]));
    for (const table of new Set([...open.keys(), ...this.#open.keys()])) {
      if (open.get(table) !== this.#open.get(table)) this.#setDue(table, 2);
    }
    this.#open = open;
    this.#estimates.keep(new Set(open.values()));
    const names = Object.keys(settings.tables);
    for (const table of this.#known.keys()) if (!names.includes(table)) this.#known.delete(table);
    const unknown = names.filter((table) => !this.#known.has(table));
    if (unknown.length > 0) await this.#readFirst(settings, unknown);
    const dueOf = (table: string) => this.#known.get(table)?.due ?? 0;
    const stale = names
      .filter((table) => isOld(this.#known.get(table)!, Date.now()))
      .sort((a, b) => dueOf(b) - dueOf(a));
    while (stale.length > 0 && Date.now() < until) {
      const statuses = await withStatusReader(
        this.#client,
        settings,
        stale.splice(0, atOnce).map(tableNamed),
        (read) => read(),
      );
      for (const status of statuses) this.#known.set(status.table, { status, readAt: Date.now() });
      await this.#readAccount(settings, statuses);
    }
  }

  /** A first answer from what is known at once; the rest follows. */
  async #readFirst(settings: Settings, names: readonly string[]): Promise<void> {
    const listed = await listedSchedules(this.#client);
    const statuses = await withDestination(settings.destination, (warehouse) =>
      sideBySide(names.map(tableNamed), (table) =>
        firstStatusOf(settings, table, warehouse, listed(settings, table.name)),
      ),
    );
    for (const status of statuses) this.#known.set(status.table, { status, readAt: Date.now(), due: 1 });
  }

  async #readAccount({ destination }: Settings, statuses: readonly TableStatus[]): Promise<void> {
    const synced = statuses.find(({ rows }) => rows !== undefined);
    if (this.#account !== undefined || !synced) return;
    await withDestination(destination, async (warehouse) => {
      const account = (await warehouse.readState(tableNamed(synced.table)))?.account;
      this.#account = account === 'unknown' ? undefined : account;
    });
  }

  /** Asks the API once how many rows there are, if a full read fills a table that has no rows here yet. */
  async #count(
    settings: Settings,
    runs: ReadonlyMap<string, WatchedRun>,
    signal: AbortSignal,
  ): Promise<void> {
    const first = [...runs].filter(([table, { fullRead }]) => {
      return fullRead === true && this.#known.get(table)?.status.rows === undefined;
    });
    if (first.length === 0 || this.#counted !== undefined) return;
    this.#counted = new Map();
    try {
      this.#counted = await this.#countRows(settings, Object.keys(settings.tables), signal);
    } catch (error) {
      if (signal.aborted) this.#counted = undefined;
      if (signal.aborted || !isForeseen(error)) throw error;
      // The key may be on the worker's machine only. The import continues, and the page says why it shows no end.
      this.#countProblem = problemJson(failureOf(error));
    }
  }

  #state(settings: Settings, runs: ReadonlyMap<string, WatchedRun>): SourceDetail {
    const now = Date.now();
    const known = Object.keys(settings.tables).map((table) => this.#known.get(table)!);
    const tables = known
      .map(({ status, readAt }) => {
        const run = runs.get(status.table);
        const rows = status.rows ?? this.#counted?.get(status.table);
        return tableJson(
          withRun(status, run),
          readAt,
          run && liveJson(run, this.#estimates.of(run, rows, now)),
        );
      })
      .sort(worstFirst);
    const { connection, baseUrl, destination, apiKey, retention, personal = 'keep' } = settings;
    return {
      at: new Date(now).toISOString(),
      id: this.#source.id,
      settings: this.#source.file,
      connection,
      baseUrl,
      destination,
      apiKey,
      retention,
      personal,
      state: tables[0]?.state ?? 'current',
      tables,
      ...defined({ account: this.#account, estimateProblem: this.#countProblem }),
    };
  }
}

function within([shortest, longest]: Pauses, ms: number): number {
  return Math.min(Math.max(shortest, ms), longest);
}

/** A table that is not current may have recovered, and one that was current may have become late. */
function isOld({ status, readAt, due }: KnownStatus, now: number): boolean {
  if (due !== undefined) return true;
  if (now - readAt < statusEveryMs) return false;
  const { every, lagSeconds = 0, nextRun } = status;
  const isLate = lagSeconds * 1_000 + (now - readAt) > 2 * intervalMs(every);
  const hasRun = nextRun !== undefined && Date.parse(nextRun) < now;
  return isLate || hasRun || healthOf(status).state !== 'current';
}

/** The status with the latest state of the run. */
function withRun({ running: _before, ...status }: TableStatus, run: WatchedRun | undefined): TableStatus {
  return run ? { ...status, running: run } : status;
}

function liveJson(run: WatchedRun, estimate: LiveRun['estimate']): LiveRun {
  const { workflowId, started, phase, workerAnswers, retrying, reason } = run;
  const { fullRead, rows, requests, bytes, windows, parents, waitingUntil } = run;
  return {
    workflowId,
    started,
    phase,
    workerAnswers,
    ...defined({ fullRead, reason, rows, requests, bytes, windows, parents, waitingUntil, estimate }),
    ...(retrying && { retrying: { ...retrying, message: hideSecrets(retrying.message) } }),
  };
}
