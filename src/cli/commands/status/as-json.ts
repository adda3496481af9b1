import type { RunInProgress } from '../../../connections/runs/run-in-progress.ts';
import { healthOf } from '../../../connections/status/table-health.ts';
import type { TableStatus } from '../../../connections/status/table-status.ts';
import { defined } from '../../../defined.ts';
import { runAsJson } from '../../terminal/run-as-json.ts';

/** A table's status for a machine: its state and reason as in the report on many connections, then all that is known. */
export function statusAsJson(status: TableStatus): object {
  const { syncMethod, incrementalField, every, fullReadEvery, schedule, note, buffered, rows } = status;
  const { watermark, lateSince, lastRun, running, lastSuccess, lastFullRead, nextRun, lastHint } = status;
  return {
    ...healthOf(status),
    syncMethod,
    ...defined({ incrementalField, every, fullReadEvery, schedule, note, buffered, rows, watermark }),
    ...defined({
      lateSince,
      lastSuccessAt: lastSuccess,
      lastFullReadAt: lastFullRead,
      nextRunAt: nextRun,
      lastHintAt: lastHint,
    }),
    ...(running && { running: runningAsJson(running) }),
    ...(lastRun && {
      lastRun: runAsJson({ ...lastRun, startedAt: lastRun.started, endedAt: lastRun.ended }),
    }),
  };
}

function runningAsJson({ started, ...running }: RunInProgress): object {
  return { outcome: 'running', ...running, startedAt: started };
}
