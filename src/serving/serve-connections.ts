import type { Client } from '@temporalio/client';
import type { MetricMeter } from '@temporalio/common';
import { defined } from '../defined.ts';
import type { Settings } from '../settings/settings.ts';
import { connectTemporal, type TemporalAccess } from '../temporal/connection.ts';
import { workerQueue } from '../temporal/names.ts';
import { patientClient } from '../temporal/patient-client.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { notifyPeople, type NotifyWorld } from '../notify/notify.ts';
import { receiveWebhooks } from '../webhooks/webhooks.ts';
import { type Connections, ConnectionsByPlace, fixedConnections } from './connections.ts';
import { earlierQueuesInUse, watchEarlierQueues } from './earlier-queues.ts';
import type { Log } from './logs.ts';
import { type Condition, serveProbes } from './probes.ts';
import { Queues } from './queues.ts';
import { runtimeMeter, servingRuntime } from './runtime.ts';
import { figuresOf, queueWorkers } from './queue-workers.ts';
import { keepTableFigures } from './table-figures.ts';
import type { Tracing } from './tracing.ts';
import { OpenWarehouses, warehousesOf } from './warehouses.ts';
import { noticing, watchDestination, watchServer, whileWatching } from './watches.ts';

/** Addresses of this machine to listen at; those left out are not served. */
export type Endpoints = {
  /** For Prometheus: an IP address and port. */
  readonly metrics?: string;
  /** For probes: a host and port. */
  readonly health?: string;
  /** For webhooks: a host and port. */
  readonly webhooks?: string;
};

/** For hints and notifications, which try again on their own if the server does not answer in this time. */
const shortPatienceMs = 10_000;

export type ServingOptions = {
  readonly endpoints: Endpoints;
  /** Bytes for merging and sorting, for all connections together; the engine's own limit if left out. */
  readonly memory?: number;
  readonly log: Log;
  /** Ends the serving; readiness probes fail from then on. */
  readonly signal: AbortSignal;
};

export type ServedConnections = ServingOptions & {
  readonly connections: Connections;
  /** Keeps `connections` up to date until its signal aborts. */
  readonly watch?: (done: AbortSignal) => Promise<void>;
  /** Set if the process serves one connection: problems with it then fail the start, and all metrics have its name. */
  readonly only?: Settings;
};

/** What is available while the runs of connections are served. */
export type Service = {
  readonly client: Client;
  readonly access: TemporalAccess;
  readonly connections: Connections;
  readonly warehouses: OpenWarehouses;
};

/** The same for `up`, which serves one connection. */
export type ConnectionService = Service & { readonly warehouse: Warehouse };

/**
 * Serves the scheduled runs of one connection while `work` lasts.
 * @param served.connections others may join it; the connection is one of them
 */
export function serveConnection<T>(
  {
    settings,
    connections = fixedConnections([settings]),
    ...options
  }: ServingOptions & { readonly settings: Settings; readonly connections?: Connections },
  work: (service: ConnectionService) => Promise<T>,
): Promise<T> {
  const served = { ...options, connections, only: settings };
  return serveConnections(served, (service) =>
    service.warehouses.use(settings.destination, (warehouse) => work({ ...service, warehouse })),
  );
}

/**
 * Serves the queues of the connections' scheduled runs while `work` lasts, then hands over the work in progress. Every
 * mistake that can be found early is reported before the first run starts.
 */
export async function serveConnections<T>(
  connections: ServedConnections,
  work: (service: Service) => Promise<T>,
): Promise<T> {
  const opened = new Opened();
  try {
    return await serveWith(opened, connections, work);
  } finally {
    await opened.close();
  }
}

async function serveWith<T>(
  opened: Opened,
  served: ServedConnections,
  work: (service: Service) => Promise<T>,
): Promise<T> {
  const { only, endpoints, log, signal } = served;
  const condition: Condition = { temporal: 'not asked yet', destination: 'not asked yet' };
  const warehouses = new OpenWarehouses(served.memory);
  opened.add(() => warehouses.close());
  if (endpoints.health !== undefined) {
    const probes = await serveProbes(endpoints.health, condition, signal);
    opened.add(() => probes.close());
  }
  if (only) await warehouses.use(only.destination, (warehouse) => warehouse.assertWritable());
  // With several connections, each one's own runs report its problems, so that the others continue.
  condition.destination = 'ok';
  servingRuntime(log, only?.connection, endpoints.metrics);
  const tracing = await tracingIfAsked(process.env, log);
  if (tracing) opened.add(() => tracing.stop());
  const access = await connectTemporal({ env: process.env, report: (line) => log('info', line) });
  opened.add(async () => {
    await access.close();
    log('info', 'worker stopped', only && { connection: only.connection });
  });
  condition.temporal = 'ok';
  if (access.uiAddress !== undefined) log('info', 'Temporal has a web UI', { url: access.uiAddress });
  return serveQueues(opened, { ...served, access, condition, warehouses, tracing }, work);
}

type Ready = ServedConnections & {
  readonly access: TemporalAccess;
  readonly condition: Condition;
  readonly warehouses: OpenWarehouses;
  readonly tracing: Tracing | undefined;
};

async function serveQueues<T>(
  opened: Opened,
  ready: Ready,
  work: (service: Service) => Promise<T>,
): Promise<T> {
  const { connections, only, endpoints, access, condition, warehouses, tracing, log, signal } = ready;
  const byPlace = new ConnectionsByPlace(connections);
  const meter = endpoints.metrics === undefined ? undefined : runtimeMeter();
  const figures = meter && figuresOf(meter, byPlace, { connections, isAlone: only !== undefined });
  const queues = new Queues(
    queueWorkers({ access, warehouses: warehousesOf(byPlace, warehouses), figures, tracing }),
  );
  opened.add(() => queues.stop());
  const client = patientClient(access, { ms: Infinity, signal });
  let earlier: ReadonlySet<string> = await earlierQueuesInUse(client, byPlace);
  const serveWanted = () =>
    queues.serve(new Set([...connections.list().map((settings) => workerQueue(settings)), ...earlier]));
  await serveWanted();
  condition.worker = () => queues.status();
  const stop = connections.onChange(() => {
    void serveWanted().catch((error: unknown) => {
      // The server may be unavailable. The next look at the queues tries again, and fails if something else is wrong.
      log('warn', 'cannot serve a queue yet', { error });
    });
  });
  opened.add(() => Promise.resolve(stop()));
  const hints = await openHints(opened, ready, meter, figures?.labelsOf);
  // Only now: whoever waits for this may send webhooks at once.
  tellStarted(ready, earlier);
  const watches = (done: AbortSignal): Promise<void>[] => [
    notifyPeople(hints, done),
    watchServer(access, noticing(condition, 'temporal', log, { address: access.address }), done),
    watchEarlierQueues(
      client,
      byPlace,
      (now) => {
        earlier = now;
        return serveWanted();
      },
      done,
    ),
    ...(ready.watch ? [ready.watch(done)] : []),
    ...(endpoints.health !== undefined && only ? [watchOnly(ready, only, done)] : []),
    ...(meter && figures ? [keepTableFigures(meter, readingOf(ready, figures.labelsOf), done)] : []),
  ];
  return whileWatching(watches, () =>
    Promise.race([work({ client, access, connections, warehouses }), queues.failure]),
  );
}

/** Receives webhooks if there is an address for them. Returns what they need, since notifications need the same. */
async function openHints(
  opened: Opened,
  { connections, endpoints, access, warehouses, log }: Ready,
  meter: MetricMeter | undefined,
  labelsOf: LabelsOf | undefined,
): Promise<NotifyWorld> {
  const world = {
    connections: () => connections.list(),
    client: patientClient(access, { ms: shortPatienceMs }),
    withWarehouse: withWarehouseOf(warehouses),
    log,
  };
  if (endpoints.webhooks !== undefined) {
    const labels = labelsOf && (({ destination }: Settings) => defined(labelsOf(destination)));
    const receiver = await receiveWebhooks(endpoints.webhooks, { ...world, meter, labelsOf: labels });
    opened.add(() => receiver.close());
  }
  return world;
}

function readingOf({ connections, warehouses, log }: Ready, labelsOf: LabelsOf) {
  return { connections, labelsOf, withWarehouse: withWarehouseOf(warehouses), log };
}

type LabelsOf = Parameters<typeof keepTableFigures>[1]['labelsOf'];

function withWarehouseOf(warehouses: OpenWarehouses) {
  return <T>({ destination }: Settings, work: (warehouse: Warehouse) => Promise<T>) =>
    warehouses.use(destination, work);
}

function watchOnly({ warehouses, condition, log }: Ready, { destination }: Settings, done: AbortSignal) {
  return warehouses.use(destination, (warehouse) =>
    watchDestination(warehouse, noticing(condition, 'destination', log, { destination }), done),
  );
}

function tellStarted({ connections, only, access, log, signal }: Ready, earlier: ReadonlySet<string>): void {
  const { address, namespace } = access;
  const list = connections.list();
  const [taskQueue, ...more] = new Set(list.map((settings) => workerQueue(settings)));
  const served = only
    ? { connection: only.connection, destination: only.destination }
    : { connections: list.length };
  const queues = more.length === 0 ? { taskQueue } : { taskQueues: [taskQueue, ...more] };
  const old = earlier.size > 0 && { earlierQueues: [...earlier] };
  log('info', 'worker started', { ...served, ...queues, ...old, address, namespace });
  const stops = () => log('info', 'worker stops: batches hand over what they hold');
  signal.addEventListener('abort', stops, { once: true });
}

/** Loads OpenTelemetry only if its environment variables name a place to send traces to. */
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
