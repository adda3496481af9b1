import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { Carried, TableProgress } from './contract.ts';

const progressQuery = defineQuery<TableProgress>('progress');

/** Announces that a run has reached a phase, or has read more of the table. */
export type Announce = (phase: TableProgress['phase'], carried?: Carried) => void;

/** Answers the query `progress`, and shows the same in Temporal's UI, with what was announced last. */
export function answerProgress(table: string): Announce {
  let progress: TableProgress = { table, phase: 'planning', notes: [] };
  setHandler(progressQuery, () => progress);
  return (phase, carried) => {
    progress = carried ? progressOf(table, phase, carried) : { ...progress, phase };
    setCurrentDetails(JSON.stringify(progress));
  };
}

function progressOf(table: string, phase: TableProgress['phase'], { plan, reading }: Carried): TableProgress {
  return {
    table,
    phase,
    fullRead: plan.fullRead,
    reason: plan.reason,
    read: reading.figures,
    windows: { open: reading.open.length, done: reading.windowsDone },
    ...(plan.parents &&
      reading.parents && { parents: { done: reading.parents.done, total: plan.parents.count } }),
    notes: reading.notes,
  };
}
