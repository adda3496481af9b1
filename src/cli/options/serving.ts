import type { Command } from 'commander';
import { defaultSettingsFile, type Settings } from '../../settings/settings.ts';
import type { TemporalAccess } from '../../temporal/connection.ts';
import type { Log } from '../../serving/logs.ts';
import type { Serving } from '../../serving/serve.ts';
import type { Tracing } from '../../serving/tracing.ts';
import type { Warehouse } from '../../warehouse/warehouse.ts';
import type { Condition } from '../../serving/health.ts';
import type { Session } from '../session.ts';

/** The options of commands that serve a connection's runs. */
export type ServingOptions = {
  readonly settings: string;
  readonly metrics?: string;
  readonly health?: string;
};

export function addServingOptions(command: Command): Command {
  return command
    .option('--settings <file>', 'the settings of the connection', defaultSettingsFile)
    .option('--metrics <address>', 'serve metrics for Prometheus, at an IP address and port of this machine')
    .option(
      '--health <address>',
      'answer probes, /livez and /readyz, at an address and port of this machine',
    );
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
  { metrics, health: healthAddress }: Pick<ServingOptions, 'metrics' | 'health'>,
  work: (service: Service) => Promise<T>,
): Promise<T> {
  const [
    serve,
    { connectTemporal },
    figures,
    { workerQueue },
    { openDestination },
    { serveHealth },
    watches,
  ] = await Promise.all([
    import('../../serving/serve.ts'),
    import('../../temporal/connection.ts'),
    import('../../serving/metrics.ts'),
    import('../../temporal/names.ts'),
    import('../../warehouse/open-warehouse.ts'),
    import('../../serving/health.ts'),
    import('../../serving/watches.ts'),
  ]);
  const { connection, destination } = settings;
  const condition: Condition = { temporal: 'not asked yet', destination: 'not asked yet' };
  const warehouse = await openDestination(destination);
  let tracing: Tracing | undefined;
  let health: Awaited<ReturnType<typeof serveHealth>> | undefined;
  try {
    if (healthAddress !== undefined) health = await serveHealth(healthAddress, condition, signal);
    await warehouse.assertWritable();
    condition.destination = 'ok';
    serve.servingRuntime(log, connection, metrics);
    tracing = await tracingIfAsked(process.env, log);
    const access = await connectTemporal({ env: process.env, report: (line) => log('info', line) });
    condition.temporal = 'ok';
    const { address, namespace } = access;
    const taskQueue = workerQueue(destination);
    const meter = metrics === undefined ? undefined : serve.runtimeMeter();
    if (meter) figures.countRunsFromZero(meter, settings, { namespace, taskQueue });
    const observer = meter && figures.countingObserver(meter);
    try {
      return await serve.serveWhile(
        { access, warehouse, taskQueue, ...(observer && { observer }), ...(tracing && { tracing }) },
        async (serving) => {
          condition.worker = serving.status;
          log('info', 'worker started', { connection, destination, taskQueue, address, namespace });
          signal.addEventListener('abort', () =>
            log('info', 'worker stops: batches hand over what they hold'),
          );
          const done = new AbortController();
          const going = [
            watches.watchServer(access, condition, log, done.signal),
            ...(health ? [watches.watchDestination(warehouse, condition, log, done.signal)] : []),
            ...(meter ? [figures.keepTableFigures(meter, warehouse, settings, log, done.signal)] : []),
          ];
          try {
            // A watch that ends first has failed.
            return await Promise.race([
              work({ ...serving, access, warehouse }),
              ...going.map((watch) => watch.then(() => new Promise<never>(() => {}))),
            ]);
          } finally {
            done.abort();
            await Promise.all(going);
          }
        },
      );
    } finally {
      await access.close();
      log('info', 'worker stopped', { connection });
    }
  } finally {
    await tracing?.stop();
    await health?.close();
    await warehouse.close();
  }
}

/** Loads OpenTelemetry where its own variables name a place for traces, and only there. */
async function tracingIfAsked(env: NodeJS.ProcessEnv, log: Log): Promise<Tracing | undefined> {
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const isOff = env['OTEL_SDK_DISABLED'] === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none';
  if (!endpoint || isOff) return undefined;
  const { startTracing } = await import('../../serving/tracing.ts');
  return startTracing(env, log);
}
