import {
  ActivityCancellationType,
  CancellationScope,
  continueAsNew,
  isCancellation,
  patched,
  proxyActivities,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/contract.ts';
import type { SyncTableInput } from './contract.ts';
import { watermarkOf } from './earlier-versions.ts';
import { asApplicationFailure } from './failures.ts';
import type { RunHost } from './host.ts';
import { nest } from './nested.ts';
import type { Announce } from './progress.ts';
import { activities, keepUp, quickSyncLocally } from './steps.ts';
import { planWithParent } from './wait-for-parent.ts';

const { recountSync } = proxyActivities<Pick<Activities, 'recountSync'>>({
  startToCloseTimeout: '30 minutes',
  heartbeatTimeout: '15 seconds',
  // Otherwise a cancelled recount could still stage after the sweep.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  // The run is already committed, so anything that three attempts cannot fix is left to the next run.
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumAttempts: 3 },
});

/** A run as a workflow execution. */
export function temporalHost(input: SyncTableInput, announce: Announce): RunHost {
  return {
    activities,
    quickSync: quickSyncOf(input),
    lastWatermark: watermarkOf(workflowInfo().lastResult),
    announce,
    planning: (run, plan) => planWithParent(run.periodic === true, plan),
    sleep,
    mayStartBatches: () => !workflowInfo().continueAsNewSuggested,
    continueLater: (carried) =>
      continueAsNew<(input: SyncTableInput) => Promise<unknown>>({ ...input, carried }),
    cancelling: (work) =>
      CancellationScope.cancellable(() => work(() => CancellationScope.current().cancel())),
    // Runs from workers that did not yet compare counts day by day ended without it.
    recountSync: () => (patched('recount') ? recountSync : undefined),
    nest: (run, plan, outcome, result) => {
      const { lastResult } = workflowInfo();
      return nest(run, plan, outcome, result, { lastResult, isQuick: input.quick !== undefined });
    },
    keepUp,
    isCancellation,
    explain: (error) => asApplicationFailure(error).message,
  };
}

function quickSyncOf({ quick }: SyncTableInput): RunHost['quickSync'] {
  if (quick === undefined) return undefined;
  return quick === 'local' ? quickSyncLocally : activities.quickSync;
}
