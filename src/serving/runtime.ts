import { type LogMetadata, type MetricMeter, SdkComponent } from '@temporalio/common';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { defined } from '../defined.ts';
import { UsageError } from '../errors.ts';
import { hideSecrets } from '../secrets.ts';
import { scheduledConnection } from '../temporal/names.ts';
import type { Log, LogLevel } from './logs.ts';
import { histogramBuckets } from './metrics.ts';

/**
 * Sets up Temporal's runtime for a command: it leaves signals to the command (its own handler would stop the worker
 * that has to carry out a cancellation) and does not print what the command itself reports. Call it
 * once per process, before anything else of Temporal.
 */
export function quietRuntime(): void {
  const logger = new DefaultLogger('ERROR', ({ message, meta }) => {
    // How a run ended is in the command's own report.
    if (meta?.['sdkComponent'] === SdkComponent.workflow) return;
    const { error } = (meta ?? {}) as { error?: unknown };
    // Only the stack: the properties of other libraries' errors may hold a request with its key.
    const reason = error instanceof Error ? `: ${error.stack ?? error.message}` : '';
    process.stderr.write(hideSecrets(`${message}${reason}\n`));
  });
  Runtime.install({
    shutdownSignals: [],
    logger,
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
  });
}

/**
 * The same for a process that serves: Temporal's own lines go to the log. With `metrics`, an address such as
 * `127.0.0.1:9464`, Temporal's metrics and ours are served to Prometheus at `http://<metrics>/metrics`. A process that
 * serves a single `connection` labels all of them with its name. Throws `UsageError` if it cannot listen there.
 */
export function servingRuntime(log: Log, connection: string | undefined, metrics?: string): void {
  const logger = new DefaultLogger('INFO', ({ level, message, meta }) => {
    // Workers and runs report what they do in lines of their own; of the SDK's lines, only problems are of interest.
    const isOurs = meta?.['sdkComponent'] === SdkComponent.workflow;
    const isRepeated = level === 'INFO' || message === 'Workflow failed';
    const severity = isRepeated && !isOurs ? 'debug' : (level.toLowerCase() as LogLevel);
    log(severity, message, isOurs ? { ...connectionIn(meta), ...meta } : meta);
  });
  try {
    Runtime.install({
      shutdownSignals: [],
      logger,
      telemetryOptions: {
        // The native client warns about every retry of every poller: many per second while the server is unreachable.
        logging: { filter: 'error,temporalio_sdk_core=warn', forward: {} },
        ...(metrics !== undefined && {
          metrics: {
            attachServiceName: false,
            // Temporal's own figures know a worker by its queue, which is a hash.
            ...(connection !== undefined && { globalTags: { connection } }),
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
    // The native runtime begins its message with the name of the argument that is wrong.
    const reason = (error as Error).message.replace(/^fn \S+: /, '');
    throw new UsageError(
      `Cannot serve metrics at ${metrics}: ${reason}`,
      'Give an IP address of this machine and a free port, such as 127.0.0.1:9464.',
    );
  }
}

/** The connection of a run, for its log lines. */
function connectionIn(meta: LogMetadata | undefined): { readonly connection?: string } {
  const { workflowId } = (meta ?? {}) as { readonly workflowId?: unknown };
  return typeof workflowId === 'string' ? defined({ connection: scheduledConnection(workflowId) }) : {};
}

/** Records this process's figures; its runtime has to be installed first. */
export function runtimeMeter(): MetricMeter {
  return Runtime.instance().metricMeter;
}
