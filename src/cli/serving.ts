import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { defaultSettingsFile, type Settings } from '../settings.ts';
import { tableNamed } from '../tables/index.ts';
import type { TemporalAccess } from '../temporal/connection.ts';
import type { Log } from '../temporal/logs.ts';
import type { Serving } from '../temporal/serve.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { Session } from './session.ts';

/** The options of commands that serve a connection's runs. */
export type ServingOptions = { readonly settings: string; readonly metrics?: string };

export function addServingOptions(command: Command): Command {
  return command
    .option('--settings <file>', 'the settings of the connection', defaultSettingsFile)
    .option('--metrics <address>', 'serve metrics for Prometheus, at an IP address and port of this machine');
}

/** What serves a connection's runs, while it does. */
export type Service = Serving & { readonly access: TemporalAccess; readonly warehouse: Warehouse };

/**
 * Serves the queue of a connection's scheduled runs while `work` lasts, then hands over what is begun. Everything
 * that can be refused is refused before the first run is taken.
 */
export async function servingRuns<T>(
  { signal }: Session,
  settings: Settings,
  log: Log,
  metrics: string | undefined,
  work: (service: Service) => Promise<T>,
): Promise<T> {
  const [serve, { connectTemporal }, { countingObserver, keepLag }, { workerQueue }, { openDestination }] =
    await Promise.all([
      import('../temporal/serve.ts'),
      import('../temporal/connection.ts'),
      import('../temporal/metrics.ts'),
      import('../temporal/names.ts'),
      import('../warehouse/open-warehouse.ts'),
    ]);
  const { connection, destination } = settings;
  const tables = Object.keys(settings.tables).map(tableNamed);
  const warehouse = await openDestination(destination);
  try {
    await warehouse.assertWritable();
    serve.servingRuntime(log, metrics);
    const access = await connectTemporal({ env: process.env, report: (line) => log('info', line) });
    const taskQueue = workerQueue(destination);
    const meter = metrics === undefined ? undefined : serve.runtimeMeter();
    const observer = meter && countingObserver(meter);
    try {
      return await serve.serveWhile(
        { access, warehouse, taskQueue, ...(observer && { observer }) },
        async (serving) => {
          const { address, namespace } = access;
          log('info', 'worker started', { connection, destination, taskQueue, address, namespace });
          signal.addEventListener('abort', () =>
            log('info', 'worker stops: batches hand over what they hold'),
          );
          const done = new AbortController();
          const watches = [
            watchServer(access, log, done.signal),
            ...(meter ? [keepLag(meter, warehouse, tables, log, done.signal)] : []),
          ];
          try {
            // A watch that ends first has failed.
            return await Promise.race([
              work({ ...serving, access, warehouse }),
              ...watches.map((watch) => watch.then(() => new Promise<never>(() => {}))),
            ]);
          } finally {
            done.abort();
            await Promise.all(watches);
          }
        },
      );
    } finally {
      await access.close();
      log('info', 'worker stopped', { connection });
    }
  } finally {
    await warehouse.close();
  }
}

/** Between two questions to the server, and for its answer. */
const askEveryMs = 5_000;

/**
 * Tells when the Temporal server stops answering and when it answers again; the worker goes on by itself. An
 * embedded one that ended is started again, on its port and database: nobody else would.
 */
async function watchServer(access: TemporalAccess, log: Log, done: AbortSignal): Promise<void> {
  const { connection, embedded, address } = access;
  const { defaultStateDir, useDevServer } = await import('../temporal/dev-server.ts');
  const server = {
    stateDir: defaultStateDir(process.env),
    env: process.env,
    report: (line: string) => log('info', line),
  };
  let answers = true;
  while (!done.aborted) {
    const error = await failureOf(() =>
      connection.withAbortSignal(done, () =>
        connection.withDeadline(Date.now() + askEveryMs, () => connection.workflowService.getSystemInfo({})),
      ),
    );
    if (done.aborted) return;
    if (answers && error) log('warn', 'the Temporal server does not answer', { address, error });
    if (!answers && !error) log('info', 'the Temporal server answers again', { address });
    answers = error === undefined;
    if (error && embedded) {
      // One that lives is left alone. This process stays on its record through its first use.
      const use = await useDevServer(server);
      await use.release();
    }
    await sleep(askEveryMs, undefined, { signal: done }).catch(() => undefined);
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
