import { ApplicationFailure, ContinueAsNew, workflowInfo } from '@temporalio/workflow';
import type { TableRun } from '../activities/contract.ts';
import type { Carried, SyncTableInput, SyncTableResult } from './contract.ts';
import { answerProgress } from './progress.ts';
import { runTable, secondsSince, type Timing } from './run-table.ts';
import { sweep } from './steps.ts';
import { reportCancelled, reportEnded, reportFailed, reportStarted, reportUnavailable } from './telemetry.ts';
import { temporalHost } from './temporal-host.ts';
import { becameUnavailable, knownUnavailable, unavailableResult } from './unavailable.ts';

/**
 * Syncs one table: plan, batches of windows side by side, one commit.
 * Fails with an `ApplicationFailure` whose type is the error's name and whose details hold the advice. However it
 * ends, nothing stays staged.
 */
export async function syncTable(input: SyncTableInput): Promise<SyncTableResult> {
  const chainId = workflowInfo().firstExecutionRunId;
  const identity: TableRun = { ...input.run, chainId, runId: chainId };
  const { table } = identity;
  const timing = input.carried ? carriedTiming(input.carried) : firstTiming();
  const announce = answerProgress(table);
  const { lastResult } = workflowInfo();
  const known = input.carried ? undefined : knownUnavailable(input, lastResult, Date.now());
  if (known) return unavailableResult(input, known, lastResult);
  if (!input.carried) reportStarted(table);
  try {
    const result = await runTable(temporalHost(input, announce), input, identity, timing);
    reportEnded(result);
    return result;
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const end = await sweep(identity, error);
    const unavailable =
      end instanceof ApplicationFailure ? becameUnavailable(input, end, Date.now()) : undefined;
    if (unavailable) {
      reportUnavailable(table, secondsSince(timing), unavailable);
      return unavailableResult(input, unavailable, lastResult);
    }
    if (end instanceof ApplicationFailure) reportFailed(table, secondsSince(timing), end);
    else reportCancelled(table, secondsSince(timing));
    throw end;
  }
}

/** A workflow's clock does not move within a task, so this is the time when a worker took the run. */
function firstTiming(): Timing {
  const began = Date.now();
  return { began, queuedSeconds: (began - workflowInfo().startTime.getTime()) / 1_000 };
}

function carriedTiming({ began = workflowInfo().startTime.getTime(), queuedSeconds }: Carried): Timing {
  return { began, ...(queuedSeconds !== undefined && { queuedSeconds }) };
}
