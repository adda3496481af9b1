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

/** A look at a bucket's tables is billed. */
const lookEveryMs = 60_000;
/** More of them are looked at less often: each look reads the log of every table. */
const perMinute = 200;
/** Of them at the same time. */
const atOnce = 8;
/** For all questions about one connection: one that hangs must not hold up the others. */
const lookMs = 45_000;
/** A server that restarts is nothing to tell people. */
const awayMs = 10 * 60_000;

/** What a process that tells people has. */
export type NotifyWorld = {
  /** The connections that it serves now. */
  readonly connections: () => readonly Settings[];
  readonly client: Client;
  /** Gives `work` the warehouse of a connection. */
  readonly withWarehouse: <T>(settings: Settings, work: (warehouse: Warehouse) => Promise<T>) => Promise<T>;
  readonly log: Log;
  /** Milliseconds between two looks; a minute if left out. */
  readonly everyMs?: number;
};

type Listed = Awaited<ReturnType<typeof listedSchedules>>;

/**
 * Tells people, where the settings have `notify`, when a table fails, is late, or has recovered, until `done`. What was
 * told is noted in the destination, so that neither a restart nor another worker of the connection tells it again.
 */
export async function notifyPeople(world: NotifyWorld, done: AbortSignal): Promise<void> {
  const { client, connections, everyMs = lookEveryMs } = world;
  const looks = new Map<string, Look>();
  const limit = pLimit(atOnce);
  // Not at once: what was late while no worker ran is about to recover.
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

/** The looks at one connection, one at a time. */
class Look {
  readonly #world: NotifyWorld;
  readonly #limit: LimitFunction;
  readonly #done: AbortSignal;
  #looking: Promise<void> | undefined;
  #awaySince: number | undefined;
  #lastProblem: string | undefined;
  /** What was told, as far as this process knows. */
  #told: Told = {};
  /** Whether that is noted in the destination. */
  #isNoted = true;

  constructor(world: NotifyWorld, limit: LimitFunction, done: AbortSignal) {
    this.#world = world;
    this.#limit = limit;
    this.#done = done;
  }

  /** Looks, unless the look before still lasts: a receiver of messages may be slow. */
  at(settings: Settings, listed: Listed | Error): void {
    this.#looking ??= this.#look(settings, listed).finally(() => (this.#looking = undefined));
  }

  get ended(): Promise<void> {
    return this.#looking ?? Promise.resolve();
  }

  /** Never rejects: that people cannot be told harms nothing else. */
  async #look(settings: Settings, listed: Listed | Error): Promise<void> {
    try {
      // A receiver of messages that is slow does not keep others from being looked at.
      const healths = await this.#limit(() => this.#healths(settings, listed));
      if (this.#done.aborted) return;
      await this.#tell(settings, healths);
      this.#lastProblem = undefined;
    } catch (error) {
      const { message } = failureOf(error);
      // One line per outage, not one per minute.
      if (this.#done.aborted || message === this.#lastProblem) return;
      this.#lastProblem = message;
      this.#world.log('error', 'people cannot be told about tables', {
        connection: settings.connection,
        error,
      });
    }
  }

  /** How the tables are; while that cannot be found out, none at first, and then that they are unreadable. */
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

  /** By the note, which other workers and earlier processes write too. */
  async #toldBefore(settings: Settings): Promise<Told> {
    if (!this.#isNoted) return this.#told;
    try {
      const note = await withinTime(
        this.#world.withWarehouse(settings, (warehouse) => warehouse.readNote(noteOf(settings.connection))),
      );
      this.#told = note === undefined ? {} : (JSON.parse(note) as Told);
    } catch (error) {
      // People have to hear about a destination that cannot be read, too.
      if (!isForeseen(error) && !(error instanceof TooLate)) throw error;
    }
    return this.#told;
  }
}

function noteOf(connection: string): string {
  return `${connection}-told`;
}

class TooLate extends Error {}

/** Rejects with `TooLate` if the answer does not come in time. */
async function withinTime<T>(answer: Promise<T>): Promise<T> {
  const limit = new AbortController();
  const late = sleep(lookMs, undefined, { signal: limit.signal }).then(() => {
    throw new TooLate(`The tables cannot be looked at: no answer for ${lookMs / 1_000} s.`);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    late.catch(() => undefined);
    limit.abort();
  }
}
