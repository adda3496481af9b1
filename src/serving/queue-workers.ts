import type { MetricMeter } from '@temporalio/common';
import type { Worker, WorkflowBundleOption } from '@temporalio/worker';
import { createActivities, type Observer } from '../../activities/index.ts';
import type { Warehouses } from '../../activities/warehouses.ts';
import { FairTurns } from '../fair-turns.ts';
import { tableNamed } from '../tables/index.ts';
import type { TemporalAccess } from '../temporal/connection.ts';
import { scheduledConnection } from '../temporal/names.ts';
import type { Connections, ConnectionsByPlace } from './connections.ts';
import { createWorker, fleetLimits, type OnRunEnded } from './create-worker.ts';
import { countingObserver, type Labels, runCounter } from './metrics.ts';
import type { Tracing } from './tracing.ts';

/**
 * Batches that a process reads at the same time. Each holds a page or two in memory. Far fewer use up the rate limit of
 * one key: the rest only ensures that the longest windows are among those being read.
 */
const batchesAtOnce = 64;
/** The limit for one key, so that a connection whose batches hang leaves room for the others. */
const batchesPerKey = 48;

/** Turns for the batches of one process. */
export function batchTurns(): FairTurns {
  return new FairTurns(batchesAtOnce, batchesPerKey);
}

/** The metrics of the runs. */
export type Figures = {
  readonly observer: Observer;
  readonly onRunEnded: OnRunEnded;
  readonly labelsOf: (destination: string) => Labels;
};

/** @param isAlone the process serves one connection, whose name all its metrics already have */
export function figuresOf(
  meter: MetricMeter,
  byPlace: ConnectionsByPlace,
  { connections, isAlone }: { readonly connections: Connections; readonly isAlone: boolean },
): Figures {
  const labelled = (connection: string | undefined): Labels =>
    isAlone || connection === undefined ? {} : { connection };
  const labelsOf = (destination: string) => labelled(byPlace.at(destination)?.connection);
  const runs = runCounter(meter);
  const begun = new Set<string>();
  const begin = () => {
    for (const settings of connections.list()) {
      if (begun.has(settings.connection)) continue;
      begun.add(settings.connection);
      runs.begin(settings, labelled(settings.connection));
    }
  };
  begin();
  connections.onChange(begin);
  return {
    observer: countingObserver(meter, labelsOf),
    onRunEnded: (workflowId, ...run) => runs.count(labelled(scheduledConnection(workflowId)), ...run),
    labelsOf,
  };
}

/** Makes the workers of a process. They share clients, so that all requests of a key share one pace. */
export function queueWorkers({
  access: { connection, namespace },
  warehouses,
  figures,
  tracing,
  workflowBundle,
}: {
  readonly access: TemporalAccess;
  readonly warehouses: Warehouses;
  readonly figures: Figures | undefined;
  readonly tracing: Tracing | undefined;
  readonly workflowBundle?: WorkflowBundleOption;
}): (taskQueue: string) => Promise<Worker> {
  const activities = createActivities({
    tableNamed,
    warehouses,
    batchTurns: batchTurns(),
    ...(figures && { observer: figures.observer }),
  });
  return (taskQueue) =>
    createWorker({
      connection,
      namespace,
      taskQueue,
      activities,
      limits: fleetLimits,
      ...(tracing && { tracing }),
      ...(workflowBundle && { workflowBundle }),
      ...(figures && { onRunEnded: figures.onRunEnded }),
    });
}
