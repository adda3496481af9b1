import { Client } from '@temporalio/client';
import { type MetricMeter, SdkComponent } from '@temporalio/common';
import { DefaultLogger, Runtime, type WorkerStatus, type WorkflowBundleOption } from '@temporalio/worker';
import { createActivities, type Observer } from '../../activities/index.ts';
import { UsageError } from '../errors.ts';
import { hideSecrets } from '../secrets.ts';
import { tableNamed } from '../tables/index.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { TemporalAccess } from '../temporal/connection.ts';
import type { Log, LogLevel } from './logs.ts';
import { histogramBuckets } from './metrics.ts';
import { syncQueue } from '../temporal/names.ts';
import type { Tracing } from './tracing.ts';
import { createWorker } from './worker.ts';

/** What a command starts runs with while its own worker serves their queue. */
export type Serving = {
  readonly client: Client;
  readonly taskQueue: string;
  /** Of the worker, as it is now. */
  readonly status: () => WorkerStatus;
};

/**
 * Has Temporal's runtime leave signals to the command (its own handler would stop the worker that has to carry
 * out a cancellation) and keep to itself what the command tells in its own words. Once a process, before anything
 * else of Temporal.
 */
export function quietRuntime(): void {
  const logger = new DefaultLogger('ERROR', ({ message, meta }) => {
    // How a run ended is in the command's own report.
    if (meta?.['sdkComponent'] === SdkComponent.workflow) return;
    const { error } = (meta ?? {}) as { error?: unknown };
    // Only what the error says: of other libraries' errors the properties may be a request with its key.
    const said = error instanceof Error ? `: ${error.stack ?? error.message}` : '';
    process.stderr.write(hideSecrets(`${message}${said}\n`));
  });
  Runtime.install({
    shutdownSignals: [],
    logger,
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
  });
}

/**
 * As `quietRuntime`, for a process that is there to serve: Temporal's own lines go to the log, and its figures to
 * Prometheus at `http://<metrics>/metrics`, an address such as `127.0.0.1:9464`, each with the connection's name.
 * Throws `UsageError` where nothing can listen there.
 */
export function servingRuntime(log: Log, connection: string, metrics?: string): void {
  const lines = new DefaultLogger('INFO', ({ level, message, meta }) => {
    // What a worker or a run does it tells itself; of the SDK only what is not as it should be.
    const isOurs = meta?.['sdkComponent'] === SdkComponent.workflow;
    const isTold = level === 'INFO' || message === 'Workflow failed';
    log(isTold && !isOurs ? 'debug' : (level.toLowerCase() as LogLevel), message, meta);
  });
  try {
    Runtime.install({
      shutdownSignals: [],
      logger: lines,
      telemetryOptions: {
        // Its client warns of every retry of every poller, many a second while a server is away.
        logging: { filter: 'error,temporalio_sdk_core=warn', forward: {} },
        ...(metrics !== undefined && {
          metrics: {
            attachServiceName: false,
            // Temporal's own figures know a worker by its queue, which is a hash.
            globalTags: { connection },
            prometheus: {
              bindAddress: metrics,
              countersTotalSuffix: true,
              useSecondsForDurations: true,
              histogramBucketOverrides: histogramBuckets,
            },
          },
        }),
      },
    });
  } catch (error) {
    if (metrics === undefined) throw error;
    // The native runtime names the argument of its own that is wrong.
    const reason = (error as Error).message.replace(/^fn \S+: /, '');
    throw new UsageError(
      `Metrics cannot be served at ${metrics}: ${reason}`,
      'Give an IP address of this machine and a free port, such as 127.0.0.1:9464.',
    );
  }
}

/** Where figures of this process are recorded, once its runtime is installed. */
export function runtimeMeter(): MetricMeter {
  return Runtime.instance().metricMeter;
}

export type ServeOptions = {
  readonly access: TemporalAccess;
  readonly warehouse: Warehouse;
  readonly requestTimeoutMs?: number;
  readonly workflowBundle?: WorkflowBundleOption;
  /** The one of `sync` where it is left out. */
  readonly taskQueue?: string;
  readonly observer?: Observer;
  readonly tracing?: Tracing;
};

/**
 * Runs a worker for a destination's queue while `work` lasts; then batches hand over what they hold. Rejects
 * should the worker die first.
 */
export async function serveWhile<T>(
  { access, warehouse, requestTimeoutMs, workflowBundle, observer, tracing, ...options }: ServeOptions,
  work: (serving: Serving) => Promise<T>,
): Promise<T> {
  const { connection, namespace } = access;
  const taskQueue = options.taskQueue ?? syncQueue(warehouse.destination);
  const worker = await createWorker({
    connection,
    namespace,
    taskQueue,
    activities: createActivities({
      tableNamed,
      warehouse,
      ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
      ...(observer && { observer }),
    }),
    ...(workflowBundle && { workflowBundle }),
    ...(tracing && { tracing }),
  });
  const client = new Client({ connection, namespace });
  return worker.runUntil(() => work({ client, taskQueue, status: () => worker.getStatus() }));
}
