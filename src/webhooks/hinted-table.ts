import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ScheduleDescription } from '@temporalio/client';
import type { syncTable } from '../../workflows/sync-table.ts';
import { openRuns } from '../connections/runs/open-runs.ts';
import { outcomeOf, type Run, type RunOutcome } from '../connections/runs/runs.ts';
import { runBegunSince } from '../connections/runs/sync-by-schedule.ts';
import { runningIn, scheduledTable } from '../connections/schedule/schedule-lookup.ts';
import { triggerTable } from '../connections/schedule/trigger.ts';
import { UsageError } from '../errors.ts';
import type { Log } from '../serving/logs.ts';
import { intervalMs, type Settings } from '../settings/settings.ts';
import type { Table } from '../tables/table.ts';
import type { HintFigures, TriggerOutcome } from './hint-figures.ts';
import { Pacing } from './pacing.ts';

/** Hints for a table within this time become one trigger. */
const leastGapMs = 2_000;
/** This many runs may start that close together: an active incident sends dozens of events. */
const burst = 10;
/** After that burst, a storm of hints costs at most this many times what the schedule costs. */
const mostRunsPerInterval = 120;
/**
 * Runs with many requests are spaced out to stay below this rate per table: then five tables in a storm, with their
 * bursts, take about half of what a key's limit refills. Of an endpoint's own limit they also take half.
 */
function requestsPerSecond({ bucket }: Table): number {
  return Math.min(1.7, bucket ? bucket.perSecond / 2 : Infinity);
}
/** If Temporal does not accept a trigger, it is retried for this long; most schedules have started a run by then. */
const keepForMs = 60 * 60_000;
/** The API may send an event before it returns the changed row. */
const secondLookMs = 10_000;
/** No shorter, since the server replays a schedule each time it is described. */
const lookEveryMs = 500;
/** The most events that are remembered until a run covers them; the last one then stands in for any more. */
const mostRemembered = 1_000;

/** What the hints for a table need. */
export type HintedWorld = {
  readonly client: Client;
  readonly log: Log;
  readonly figures: HintFigures;
  /** Stops following runs; hints that are waiting are still triggered. */
  readonly signal: AbortSignal;
};

/** One event that concerns a table. */
export type Hint = {
  /** Milliseconds since the epoch. */
  readonly sentAt?: number;
  /** Other tables of the same event that are read by the rows of this one, which therefore has to be read first. */
  readonly children?: readonly HintedTable[];
  /** Set if the previous run found no change. */
  readonly isSecondLook?: true;
};

/** The hints for one table of a connection. */
export class HintedTable {
  readonly settings: Settings;
  readonly #world: HintedWorld;
  readonly #table: Table;
  readonly #pacing: Pacing;
  /** Hints that no run has covered yet, each with its number. */
  #open: (Hint & { readonly number: number })[] = [];
  #failingSince: number | undefined;
  /** The requests that the last known run made. */
  #requests = 0;

  constructor(world: HintedWorld, settings: Settings, table: Table) {
    this.settings = settings;
    this.#world = world;
    this.#table = table;
    const everyMs = intervalMs(settings.tables[table.name]!.every) / mostRunsPerInterval;
    const perSecond = requestsPerSecond(table);
    const gapMs = () => Math.max(leastGapMs, (this.#requests / perSecond) * 1_000);
    this.#pacing = new Pacing({ gapMs, burst, everyMs }, (hints) => this.#trigger(hints));
  }

  hint(hint: Hint = {}): void {
    const number = this.#pacing.hint();
    const last = this.#open.length < mostRemembered ? undefined : this.#open.pop();
    const children = new Set([...(last?.children ?? []), ...(hint.children ?? [])]);
    this.#open.push({ ...hint, number, children: [...children] });
  }

  /** Triggers the hints that are still waiting. */
  stop(): Promise<void> {
    return this.#pacing.stop();
  }

  /** Triggers the table's schedule, and waits until the resulting run begins. */
  async #trigger(hints: () => number): Promise<number | undefined> {
    const { client, figures, signal } = this.#world;
    const before = hints();
    let run: { readonly begun: () => Promise<number> };
    try {
      const { description } = await scheduledTable(client, this.settings, this.#table);
      if (description.state.paused) return this.#without('paused', before);
      const open = await openRuns(client, runningIn(description));
      const triggered = await triggerTable(client, description);
      figures.triggered(this.settings, this.#table.name, triggered === 'started' ? 'started' : 'buffered');
      run = { begun: () => this.#begun(description, open, hints, before) };
    } catch (error) {
      return this.#failed(error, before);
    }
    this.#failingSince = undefined;
    if (signal.aborted) return before;
    try {
      return await run.begun();
    } catch (error) {
      if (!signal.aborted) this.#cannotFollow(error);
      // The table was triggered, but the end of its run cannot be seen, so the children do not wait for it.
      hintChildren(this.#taken(before));
      return before;
    }
  }

  /** Settles hints that do not lead to a run of this table. */
  #without(outcome: TriggerOutcome, done: number): number {
    this.#world.figures.triggered(this.settings, this.#table.name, outcome);
    this.#failingSince = undefined;
    hintChildren(this.#taken(done));
    return done;
  }

  #failed(error: unknown, before: number): number | undefined {
    const { log, figures, signal } = this.#world;
    const facts = { connection: this.settings.connection, table: this.#table.name, error };
    if (error instanceof UsageError) {
      log('error', 'a webhook cannot trigger a table', { ...facts, advice: error.advice });
      return this.#without('refused', before);
    }
    this.#failingSince ??= Date.now();
    if (signal.aborted || Date.now() - this.#failingSince > keepForMs) {
      log(
        'error',
        'hints are lost: Temporal does not accept the trigger; the schedule still syncs the table',
        facts,
      );
      return this.#without('lost', before);
    }
    figures.triggered(this.settings, this.#table.name, 'failed');
    log('warn', 'Temporal does not accept a trigger: the hint is kept and tried again', facts);
    return undefined;
  }

  /** Waits until the triggered run begins; returns how many hints came before it. */
  async #begun(
    description: ScheduleDescription,
    open: readonly Run[],
    hints: () => number,
    before: number,
  ): Promise<number> {
    const { client, signal } = this.#world;
    // Polling the schedule while another run is in progress would be expensive.
    for (const run of open) await unlessAborted(this.#outcome(run), signal);
    for (let done = before; ;) {
      signal.throwIfAborted();
      const asOf = hints();
      const run = await runBegunSince(client, description);
      if (run) {
        void this.#read(run, this.#taken(done));
        return done;
      }
      // The run has not begun yet, so it will see the changes behind these hints.
      done = asOf;
      await sleep(lookEveryMs, undefined, { signal });
    }
  }

  #outcome({ workflowId, firstExecutionRunId }: Run): Promise<RunOutcome> {
    const handle = this.#world.client.workflow.getHandle<typeof syncTable>(workflowId, firstExecutionRunId);
    return outcomeOf({ table: this.#table.name, handle });
  }

  /** Waits for the run that covers these hints, records it and hints the children. Never rejects. */
  async #read(run: Run, hints: readonly Hint[]): Promise<void> {
    const { figures, signal } = this.#world;
    try {
      const outcome = await unlessAborted(this.#outcome(run), signal);
      if (outcome.status === 'synced') {
        for (const { sentAt } of hints) {
          if (sentAt !== undefined)
            figures.read(this.settings, this.#table.name, Math.max(0, (Date.now() - sentAt) / 1_000));
        }
        const { changes, read } = outcome.result;
        this.#requests = read.requests;
        const foundNothing = changes && changes.inserted + changes.updated + changes.dropped === 0;
        if (foundNothing && hints.some(({ isSecondLook }) => !isSecondLook)) this.#lookAgain();
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#cannotFollow(error);
    }
    hintChildren(hints);
  }

  #lookAgain(): void {
    const timer = setTimeout(() => this.hint({ isSecondLook: true }), secondLookMs);
    timer.unref();
    this.#world.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  #cannotFollow(error: unknown): void {
    const { connection } = this.settings;
    this.#world.log('warn', 'a run that a webhook triggered cannot be followed', {
      connection,
      table: this.#table.name,
      error,
    });
  }

  #taken(done: number): readonly Hint[] {
    const taken = this.#open.filter(({ number }) => number <= done);
    this.#open = this.#open.filter(({ number }) => number > done);
    return taken;
  }
}

function hintChildren(hints: readonly Hint[]): void {
  for (const child of new Set(hints.flatMap(({ children = [] }) => children))) child.hint();
}

/** Rejects as soon as the signal aborts. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const done = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: done.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    done.abort();
  }
}
