import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import pLimit, { type LimitFunction } from 'p-limit';
import { listedSchedules } from '../connections/schedule/schedule-facts.ts';
import { healthOf, type TableHealth } from '../connections/status/table-health.ts';
import { statusOf } from '../connections/status/table-status.ts';
import { failureOf, isForeseen } from '../failure.ts';
import type { Log } from '../serving/logs.ts';
import type { Settings } from '../settings/settings.ts';
import { tableNamed } from '../tables/index.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { messageOf } from './message.ts';
import { resolveAddress, sendMessage } from './send.ts';
import { newsOf, type Told } from './told.ts';

/** Not more often: reading the logs of tables in a bucket is billed. */
const lookEveryMs = 60_000;
/** With more connections than this, each is checked less often: a check reads the log of every table. */
const perMinute = 200;
/** How many connections are checked at the same time. */
const atOnce = 8;
/** The time limit for checking one connection: one that hangs must not hold up the others. */
const lookMs = 45_000;
/** Shorter outages are not reported, so that restarting the Temporal server does not alert anyone. */
const awayMs = 10 * 60_000;

/** What the messages to people need from their process. */
export type NotifyWorld = {
  /** The connections that it serves now. */
  readonly connections: () => readonly Settings[];
  readonly client: Client;
  /** Gives `work` the warehouse of a connection. */
  readonly withWarehouse: <T>(settings: Settings, work: (warehouse: Warehouse) => Promise<T>) => Promise<T>;
  readonly log: Log;
  /** Milliseconds between two checks; one minute by default. */
  readonly everyMs?: number;
};

type Listed = Awaited<ReturnType<typeof listedSchedules>>;

/**
 * If the settings have `notify`, tells people when a table fails, is late, or has recovered, until `done`. Each message
 * is noted in the destination, so that neither a restart nor another worker of the connection repeats it.
 */
export async function notifyPeople(world: NotifyWorld, done: AbortSignal): Promise<void> {
  const { client, connections, everyMs = lookEveryMs } = world;
  const looks = new Map<string, Look>();
  const limit = pLimit(atOnce);
  // Wait before the first check: tables that became late while no worker ran are about to recover.
  for (;;) {
    const crowd = connections().filter(({ notify }) => notify).length / perMinute;
    await sleep(everyMs * Math.max(1, crowd), undefined, { signal: done }).catch(() => undefined);
    if (done.aborted) break;
    const notified = connections().filter(({ notify }) => notify);
    if (notified.length === 0) continue;
    const listed = await client
      .withDeadline(Date.now() + lookMs, () => listedSchedules(client))
      .catch((error: unknown) => error as Error);
    for (const settings of notified) {
      const look = looks.get(settings.connection) ?? new Look(world, limit, done);
      looks.set(settings.connection, look);
      look.at(settings, listed);
    }
  }
  await Promise.all([...looks.values()].map((look) => look.ended));
}

/** Checks one connection, one check at a time. */
class Look {
  readonly #world: NotifyWorld;
  readonly #limit: LimitFunction;
  readonly #done: AbortSignal;
  #looking: Promise<void> | undefined;
  #awaySince: number | undefined;
  #lastProblem: string | undefined;
  /** What people were told, as far as this process knows. */
  #told: Told = {};
  /** Whether the destination has that note. */
  #isNoted = true;

  constructor(world: NotifyWorld, limit: LimitFunction, done: AbortSignal) {
    this.#world = world;
    this.#limit = limit;
    this.#done = done;
  }

  /** Starts a check unless the previous one is still in progress: a receiver of messages may be slow. */
  at(settings: Settings, listed: Listed | Error): void {
    this.#looking ??= this.#look(settings, listed).finally(() => (this.#looking = undefined));
  }

  get ended(): Promise<void> {
    return this.#looking ?? Promise.resolve();
  }

  /** Never rejects: a failure to tell people must not affect anything else. */
  async #look(settings: Settings, listed: Listed | Error): Promise<void> {
    try {
      // The limit does not cover sending, so a slow receiver does not delay the checks of other connections.
      const healths = await this.#limit(() => this.#healths(settings, listed));
      if (this.#done.aborted) return;
      await this.#tell(settings, healths);
      this.#lastProblem = undefined;
    } catch (error) {
      const { message } = failureOf(error);
      // One line per outage, not one per minute.
      if (this.#done.aborted || message === this.#lastProblem) return;
      this.#lastProblem = message;
      this.#world.log('error', 'cannot send messages about tables', {
        connection: settings.connection,
        error,
      });
    }
  }

  /** How the tables are doing. While that cannot be found out, rejects at first; later, all count as unreadable. */
  async #healths(settings: Settings, listed: Listed | Error): Promise<readonly TableHealth[]> {
    const tables = Object.keys(settings.tables);
    try {
      if (listed instanceof Error) throw listed;
      const { client, withWarehouse } = this.#world;
      const asked = client.withDeadline(Date.now() + lookMs, () =>
        withWarehouse(settings, (warehouse) =>
          Promise.all(
            tables.map((table) =>
              statusOf(client, settings, tableNamed(table), warehouse, listed(settings, table)),
            ),
          ),
        ),
      );
      const statuses = await withinTime(asked);
      this.#awaySince = undefined;
      return statuses.map(healthOf);
    } catch (error) {
      this.#awaySince ??= Date.now();
      if (Date.now() - this.#awaySince < awayMs) throw error;
      const failure = failureOf(error);
      return tables.map((table) => ({ table, state: 'unreadable', ...failure }));
    }
  }

  async #tell(settings: Settings, healths: readonly TableHealth[]): Promise<void> {
    const { connection, notify } = settings;
    const { news, told } = newsOf(healths, await this.#toldBefore(settings), Date.now());
    if (news.length > 0) {
      await sendMessage(await resolveAddress(notify!.url), messageOf(connection, news), this.#done);
    }
    const isNew = JSON.stringify(told) !== JSON.stringify(this.#told);
    this.#told = told;
    if (!isNew && this.#isNoted) return;
    this.#isNoted = false;
    const note = JSON.stringify(told);
    await withinTime(
      this.#world.withWarehouse(settings, (warehouse) => warehouse.writeNote(noteOf(connection), note)),
    );
    this.#isNoted = true;
  }

  /** What people were told before, from the note, which other workers and earlier processes write too. */
  async #toldBefore(settings: Settings): Promise<Told> {
    if (!this.#isNoted) return this.#told;
    try {
      const note = await withinTime(
        this.#world.withWarehouse(settings, (warehouse) => warehouse.readNote(noteOf(settings.connection))),
      );
      this.#told = note === undefined ? {} : (JSON.parse(note) as Told);
    } catch (error) {
      // An unreadable destination is itself something to tell people about.
      if (!isForeseen(error) && !(error instanceof TooLate)) throw error;
    }
    return this.#told;
  }
}

function noteOf(connection: string): string {
  return `${connection}-told`;
}

class TooLate extends Error {}

/** Rejects with `TooLate` if the answer takes too long. */
async function withinTime<T>(answer: Promise<T>): Promise<T> {
  const limit = new AbortController();
  const late = sleep(lookMs, undefined, { signal: limit.signal }).then(() => {
    throw new TooLate(`The tables cannot be checked: no answer for ${lookMs / 1_000} s.`);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    late.catch(() => undefined);
    limit.abort();
  }
}
