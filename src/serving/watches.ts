import { setTimeout as sleep } from 'node:timers/promises';
import type { TemporalAccess } from '../temporal/connection.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { Log } from './logs.ts';
import type { Condition } from './probes.ts';

/** Takes what a watch found at each look: the problem, or `undefined` if there is none. */
export type OnLook = (problem: string | undefined) => void;

/** The pause between two questions to the server, and the time limit for each answer. */
const askServerEveryMs = 5_000;
/** A probe is a few writes, which a store may charge for. */
const askDestinationEveryMs = 15_000;
const destinationAnswersMs = 10_000;

/**
 * Keeps asking whether the Temporal server answers, until `done`; a worker reconnects by itself. An embedded
 * server that ended is started again on its port and database, since nothing else would do that.
 */
export async function watchServer(
  { connection, revive }: TemporalAccess,
  onLook: OnLook,
  done: AbortSignal,
): Promise<void> {
  const ask = () =>
    connection.withDeadline(Date.now() + askServerEveryMs, () =>
      connection.workflowService.getSystemInfo({}),
    );
  while (!done.aborted) {
    const problem = await problemOf(ask);
    if (done.aborted) return;
    onLook(problem);
    if (problem !== undefined) await revive();
    await sleep(askServerEveryMs, undefined, { signal: done }).catch(() => undefined);
  }
}

/**
 * Does `work` while the server is watched. `report` takes a line when it stops answering and when it answers again.
 * Fails if the watch does: an embedded server could not be started again.
 */
export async function whileWatchingServer<T>(
  access: TemporalAccess,
  report: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  let isAway = false;
  const onLook: OnLook = (problem) => {
    const was = isAway;
    isAway = problem !== undefined;
    if (isAway && !was) report(`The Temporal server at ${access.address} does not answer (${problem}).`);
    if (was && !isAway) report(`The Temporal server at ${access.address} answers again.`);
  };
  return whileWatching((done) => [watchServer(access, onLook, done)], work);
}

/** Does `work` while the watches run; each ends when its signal aborts. If a watch fails, this rejects too. */
export async function whileWatching<T>(
  begin: (done: AbortSignal) => readonly Promise<void>[],
  work: () => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const watches = begin(done.signal);
  const failed = watches.map((watch) => watch.then(() => new Promise<never>(() => {})));
  try {
    return await Promise.race([work(), ...failed]);
  } finally {
    done.abort();
    await Promise.all(watches);
  }
}

/** Keeps asking whether the destination can be written to, until `done`. */
export async function watchDestination(
  warehouse: Warehouse,
  onLook: OnLook,
  done: AbortSignal,
): Promise<void> {
  const { destination } = warehouse;
  let asking: Promise<void> | undefined;
  const ask = async () => {
    // Not asked again while a disk or network hangs: each call takes one of Node's four threads.
    asking ??= warehouse.assertReachable().finally(() => (asking = undefined));
    const limit = new AbortController();
    const late = sleep(destinationAnswersMs, undefined, { signal: limit.signal }).then(() => {
      throw new Error(`no answer from ${destination} for ${destinationAnswersMs / 1_000} s`);
    });
    try {
      await Promise.race([asking, late]);
    } finally {
      late.catch(() => undefined);
      limit.abort();
    }
  };
  while (!done.aborted) {
    onLook(await problemOf(ask));
    await sleep(askDestinationEveryMs, undefined, { signal: done }).catch(() => undefined);
  }
}

/** The message of the error that `ask` rejects with; `undefined` if it resolves. */
async function problemOf(ask: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const changes = {
  temporal: {
    bad: 'the Temporal server does not answer',
    good: 'the Temporal server answers again',
    shown: (problem: string) => `does not answer: ${problem}`,
  },
  destination: {
    bad: 'the destination cannot be written to',
    good: 'the destination can be written to again',
    shown: (problem: string) => problem,
  },
};

/** Takes the answers of a watch: keeps the condition up to date, and logs when it changes. */
export function noticing(
  condition: Condition,
  part: keyof typeof changes,
  log: Log,
  facts: { readonly [name: string]: unknown },
): (problem: string | undefined) => void {
  const { bad, good, shown } = changes[part];
  return (problem) => {
    const wasGood = condition[part] === 'ok';
    if (wasGood && problem !== undefined) log('warn', bad, { ...facts, error: problem });
    if (!wasGood && problem === undefined) log('info', good, facts);
    condition[part] = problem === undefined ? 'ok' : shown(problem);
  };
}
