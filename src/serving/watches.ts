import { setTimeout as sleep } from 'node:timers/promises';
import type { TemporalAccess } from '../temporal/connection.ts';
import type { Log } from './logs.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { Condition } from './health.ts';

/** Between two questions to the server, and for its answer. */
const askServerEveryMs = 5_000;
/** A probe is a few writes, which a store may charge for. */
const askDestinationEveryMs = 15_000;
const destinationAnswersMs = 10_000;

/**
 * Tells when the Temporal server stops answering and when it answers again; the worker goes on by itself. An
 * embedded one that ended is started again, on its port and database: nobody else would.
 */
export async function watchServer(
  access: TemporalAccess,
  condition: Condition,
  log: Log,
  done: AbortSignal,
): Promise<void> {
  const { connection, embedded, address } = access;
  const { defaultStateDir, useDevServer } = await import('../temporal/dev-server/dev-server.ts');
  const server = {
    stateDir: defaultStateDir(process.env),
    env: process.env,
    report: (line: string) => log('info', line),
  };
  const ask = () =>
    connection.withAbortSignal(done, () =>
      connection.withDeadline(Date.now() + askServerEveryMs, () =>
        connection.workflowService.getSystemInfo({}),
      ),
    );
  while (!done.aborted) {
    const error = await failureOf(ask);
    if (done.aborted) return;
    const answered = condition.temporal === 'ok';
    if (answered && error) log('warn', 'the Temporal server does not answer', { address, error });
    if (!answered && !error) log('info', 'the Temporal server answers again', { address });
    condition.temporal = error === undefined ? 'ok' : `does not answer: ${error}`;
    if (error && embedded) {
      // One that lives is left alone. This process stays on its record through its first use.
      const use = await useDevServer(server);
      await use.release();
    }
    await sleep(askServerEveryMs, undefined, { signal: done }).catch(() => undefined);
  }
}

/** Tells when the destination can no longer be written to and when it can again; runs say so too, once they begin. */
export async function watchDestination(
  warehouse: Warehouse,
  condition: Condition,
  log: Log,
  done: AbortSignal,
): Promise<void> {
  const { destination } = warehouse;
  let asking: Promise<void> | undefined;
  const ask = async () => {
    // A disk or network that hangs is asked once: each question takes one of Node's four threads.
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
    const error = await failureOf(ask);
    const answered = condition.destination === 'ok';
    if (answered && error) log('warn', 'the destination cannot be written to', { destination, error });
    if (!answered && !error) log('info', 'the destination can be written to again', { destination });
    condition.destination = error ?? 'ok';
    await sleep(askDestinationEveryMs, undefined, { signal: done }).catch(() => undefined);
  }
}

/** The message of what it rejects with. */
async function failureOf(ask: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
