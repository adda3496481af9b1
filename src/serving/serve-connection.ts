import type { Settings } from '../settings/settings.ts';
import { connectTemporal, type TemporalAccess } from '../temporal/connection.ts';
import { workerQueue } from '../temporal/names.ts';
import { openDestination } from '../warehouse/open-warehouse.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { Log } from './logs.ts';
import { countingObserver, keepTableFigures, runCounter } from './metrics.ts';
import { type Condition, serveProbes } from './probes.ts';
import { runtimeMeter, servingRuntime } from './runtime.ts';
import { serveWhile, type Serving } from './serve.ts';
import type { Tracing } from './tracing.ts';
import { watchDestination, watchServer, whileWatching } from './watches.ts';

/** Addresses of this machine to answer at; nothing listens for those left out. */
export type Endpoints = {
  /** For Prometheus: an IP address and port. */
  readonly metrics?: string;
  /** For probes: a host and port. */
  readonly health?: string;
};

export type ServedConnection = {
  readonly settings: Settings;
  readonly endpoints: Endpoints;
  readonly log: Log;
  /** Ends the serving; readiness probes fail from then on. */
  readonly signal: AbortSignal;
};

/** What serves a connection's runs, while it does. */
export type Service = Serving & { readonly access: TemporalAccess; readonly warehouse: Warehouse };

/**
 * Serves the queue of a connection's scheduled runs while `work` lasts, then hands over what was begun. Everything
 * that can be refused is refused before the first run is taken.
 */
export async function serveConnection<T>(
  connection: ServedConnection,
  work: (service: Service) => Promise<T>,
): Promise<T> {
  const opened = new Opened();
  try {
    return await serveWith(opened, connection, work);
  } finally {
    await opened.close();
  }
}

async function serveWith<T>(
  opened: Opened,
  { settings, endpoints, log, signal }: ServedConnection,
  work: (service: Service) => Promise<T>,
): Promise<T> {
  const { connection, destination } = settings;
  const condition: Condition = { temporal: 'not asked yet', destination: 'not asked yet' };
  const warehouse = await openDestination(destination);
  opened.add(() => warehouse.close());
  if (endpoints.health !== undefined) {
    const probes = await serveProbes(endpoints.health, condition, signal);
    opened.add(() => probes.close());
  }
  await warehouse.assertWritable();
  condition.destination = 'ok';
  servingRuntime(log, connection, endpoints.metrics);
  const tracing = await tracingIfAsked(process.env, log);
  if (tracing) opened.add(() => tracing.stop());
  const report = (line: string) => log('info', line);
  const access = await connectTemporal({ env: process.env, report });
  opened.add(async () => {
    await access.close();
    log('info', 'worker stopped', { connection });
  });
  condition.temporal = 'ok';
  const { address, namespace, uiAddress } = access;
  if (uiAddress !== undefined) log('info', 'Temporal has a web UI', { url: uiAddress });

  const taskQueue = workerQueue(destination);
  const meter = endpoints.metrics === undefined ? undefined : runtimeMeter();
  const figures = meter && { observer: countingObserver(meter), onRunEnded: runCounter(meter, settings) };
  const patience = { ms: Infinity, signal };
  return serveWhile(
    { access, warehouse, taskQueue, patience, ...figures, ...(tracing && { tracing }) },
    async (serving) => {
      condition.worker = serving.status;
      log('info', 'worker started', { connection, destination, taskQueue, address, namespace });
      const stops = () => log('info', 'worker stops: batches hand over what they hold');
      signal.addEventListener('abort', stops, { once: true });
      return whileWatching(
        (done) => [
          watchServer(access, noticing(condition, 'temporal', log, { address }), done),
          ...(endpoints.health === undefined
            ? []
            : [watchDestination(warehouse, noticing(condition, 'destination', log, { destination }), done)]),
          ...(meter ? [keepTableFigures(meter, warehouse, settings, log, done)] : []),
        ],
        () => work({ ...serving, access, warehouse }),
      );
    },
  );
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
function noticing(
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

/** Loads OpenTelemetry if its own variables name a place for traces, and only then. */
async function tracingIfAsked(env: NodeJS.ProcessEnv, log: Log): Promise<Tracing | undefined> {
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const isOff = env['OTEL_SDK_DISABLED'] === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none';
  if (!endpoint || isOff) return undefined;
  const { startTracing } = await import('./tracing.ts');
  return startTracing(env, log);
}

/** What has been opened so far, to be closed in the opposite order. */
class Opened {
  readonly #closers: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /** Closes everything, then throws the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.toReversed()) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}
