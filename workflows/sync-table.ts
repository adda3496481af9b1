import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities, Extracted, Plan, TableRun } from '../activities/contract.ts';
import { adviceOf, asApplicationFailure } from './failures.ts';
import { type TableProgress, tableProgress } from './progress.ts';
import { tellCancelled, tellEnded, tellFailed, tellStarted } from './telling.ts';
import { afterBatch, batchOf, type Figures, missingNotes, type Reading, startReading } from './windows.ts';

export type SyncTableInput = {
  readonly run: Omit<TableRun, 'chainId' | 'runId'>;
  readonly syncMethod: 'full_refresh' | 'incremental';
  /** For `incremental`. */
  readonly incrementalField?: 'updated_at' | 'created_at';
  /** For `incremental`: everything is read after so many milliseconds all the same; never where it is left out. */
  readonly fullReadEveryMs?: number;
  /** Where a run that continued as new goes on. */
  readonly carried?: Carried;
};

/** Schedules and runs begun before version 0.2 carry the sync method under this name. */
type Before02 = { readonly method?: SyncTableInput['syncMethod'] };

function syncMethodOf({
  syncMethod,
  method,
}: Partial<SyncTableInput> & Before02): SyncTableInput['syncMethod'] {
  return syncMethod ?? method ?? 'full_refresh';
}

type CommitOutcome = Awaited<ReturnType<Activities['commitSync']>>;

type Carried = {
  readonly plan: Plan;
  readonly reading: Reading;
  readonly planned: number;
  /** When the run began, before it continued as new; milliseconds since the epoch. */
  readonly began?: number;
};

export type SyncTableResult = {
  readonly table: string;
  readonly fullRead: boolean;
  /** Why everything was read, or since when the changes. */
  readonly reason: string;
  readonly version: number;
  /** Rows of the table after the commit. */
  readonly rows: number;
  /** What became of the rows; unknown where the commit succeeded and its answer was lost. */
  readonly changes?: {
    readonly rowsBefore: number;
    readonly inserted: number;
    readonly updated: number;
    readonly dropped: number;
    readonly bytesWritten: number;
    readonly columnsAdded: readonly string[];
  };
  /** Milliseconds since the epoch. */
  readonly watermark?: number;
  readonly read: Figures;
  /** From the run's start to its commit. */
  readonly seconds: number;
  readonly notes: readonly string[];
};

/** So many cursors of one table are read side by side. */
const sideBySide = 8;
/** The first plan and three more; being overtaken more often means two writers that will not stop. */
const mostPlans = 4;

const activities = proxyActivities<Activities>({
  // Leaves room for the longest Retry-After that is waited out, and for the merge of a large table.
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '15 seconds',
  // Left out it is TRY_CANCEL whatever its documentation says, and a batch would stage behind the sweep.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  // Attempts are not limited in number: they measure themselves for how long nothing worked.
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/**
 * Upkeep is no run's business: it is tried once, for a minute, and the next run's goes on. A local activity is one
 * event of the history, and takes no batch's place; most take a second or two.
 */
const upkeep = proxyLocalActivities<Pick<Activities, 'keepUp'>>({
  startToCloseTimeout: '1 minute',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { maximumAttempts: 1 },
});

/**
 * Syncs one table: plan, batches of windows side by side, one commit.
 * Fails with an `ApplicationFailure` whose type is the error's name and whose details hold the advice; whatever
 * way it ends, nothing stays staged.
 */
export async function syncTable(input: SyncTableInput): Promise<SyncTableResult> {
  const chainId = workflowInfo().firstExecutionRunId;
  const identity: TableRun = { ...input.run, chainId, runId: chainId };
  const began = input.carried?.began ?? workflowInfo().startTime.getTime();
  let progress: TableProgress = { table: identity.table, phase: 'planning', notes: [] };
  setHandler(tableProgress, () => progress);
  const tell: Tell = (phase, carried) => {
    progress = carried ? progressOf(identity.table, phase, carried) : { ...progress, phase };
    setCurrentDetails(JSON.stringify(progress));
  };
  if (!input.carried) tellStarted(identity.table);
  try {
    const result = await planReadCommit(input, identity, began, tell);
    tellEnded(result);
    return result;
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const end = await swept(identity, error);
    if (end instanceof ApplicationFailure) tellFailed(identity.table, secondsSince(began), end);
    else tellCancelled(identity.table, secondsSince(began));
    throw end;
  }
}

/** What the schedule's last run says of its watermark; another version of this workflow may have left anything. */
function watermarkOf(lastResult: unknown): number | undefined {
  const watermark = (lastResult as { watermark?: unknown } | null | undefined)?.watermark;
  return typeof watermark === 'number' ? watermark : undefined;
}

type Tell = (phase: TableProgress['phase'], carried?: Carried) => void;

async function planReadCommit(
  input: SyncTableInput,
  identity: TableRun,
  began: number,
  tell: Tell,
): Promise<SyncTableResult> {
  const { incrementalField, fullReadEveryMs } = input;
  const syncMethod = syncMethodOf(input);
  const lastWatermark = watermarkOf(workflowInfo().lastResult);
  const plan = async (planned: number): Promise<Carried> => {
    tell('planning');
    const made = await activities.planSync({
      run: identity,
      syncMethod,
      method: syncMethod,
      ...(incrementalField !== undefined && { incrementalField }),
      ...(fullReadEveryMs !== undefined && { fullReadEveryMs }),
      ...(lastWatermark !== undefined && { lastWatermark }),
    });
    return { plan: made, reading: startReading(made), planned, began };
  };

  let carried = input.carried ?? (await plan(1));
  for (;;) {
    // The plan has asked whose key it is; from now on every batch compares.
    const run = { ...identity, account: carried.plan.state.account };
    carried = await read(input, run, carried, tell);
    tell('committing', carried);
    const { plan: made, reading } = carried;
    const outcome = await activities.commitSync({
      run,
      plan: made,
      parts: reading.parts,
      ...totalOf(made, reading),
    });
    if (outcome.status !== 'overtaken') {
      tell('done', carried);
      const result = resultOf(identity.table, made, reading, outcome, secondsSince(began));
      return { ...result, notes: [...result.notes, ...(await keptUp(run, outcome))] };
    }
    await activities.discardStaged({ run });
    if (carried.planned >= mostPlans) {
      throw ApplicationFailure.nonRetryable(
        `${identity.table}: planned ${mostPlans} times and overtaken each time, the last time because ${outcome.reason}`,
        'OvertakenError',
        { advice: 'Let only one connection write to this destination.' },
      );
    }
    carried = await plan(carried.planned + 1);
  }
}

/** Upkeep, where the commit left something to do. Whatever becomes of it, the run is done. */
async function keptUp(run: TableRun, outcome: CommitOutcome): Promise<string[]> {
  if (outcome.status !== 'committed' || outcome.upkeepSince === undefined) return [];
  // Runs whose worker was older than upkeep ended here.
  if (!patched('keepUp')) return [];
  try {
    await upkeep.keepUp({ run, since: outcome.upkeepSince });
    return [];
  } catch (error) {
    const why = isCancellation(error) ? 'it was cancelled' : asApplicationFailure(error).message;
    return [`Upkeep of the table is left to the next run: ${why}`];
  }
}

/** Reads all open windows, some side by side; continues as new when the history has grown long. */
async function read(input: SyncTableInput, run: TableRun, carried: Carried, tell: Tell): Promise<Carried> {
  let { reading } = carried;
  const running = new Map<number, Promise<{ id: number; batch: Extracted }>>();
  return CancellationScope.cancellable(async () => {
    try {
      while (reading.open.length > 0) {
        tell('reading', { ...carried, reading });
        if (!workflowInfo().continueAsNewSuggested) {
          const idle = reading.open.map(({ window }) => window.id).filter((id) => !running.has(id));
          for (const id of idle.slice(0, sideBySide - running.size)) {
            const batch = activities.extractBatch({
              run,
              ...batchOf(reading, id),
              ...fromPlan(carried.plan),
            });
            running.set(
              id,
              batch.then((batch) => ({ id, batch })),
            );
          }
        }
        if (running.size === 0) {
          await continueAsNew<typeof syncTable>({ ...input, carried: { ...carried, reading } });
        }
        const { id, batch } = await Promise.race(running.values());
        running.delete(id);
        const next = afterBatch(reading, id, batch);
        if ('exhausted' in next) {
          throw ApplicationFailure.nonRetryable(`${run.table}: ${next.exhausted}`, 'CursorRejectedError', {
            advice: 'Sync the table again; if it happens again, report it to incident.io.',
          });
        }
        reading = next;
      }
      return { ...carried, reading };
    } catch (error) {
      // The other windows must have stopped before their staging is swept.
      CancellationScope.current().cancel();
      await Promise.allSettled(running.values());
      throw error;
    }
  });
}

/** What a page counts is all of the table only where it was asked with nothing but the revealing filters. */
function totalOf({ fullRead }: Plan, { windowsDone, total }: Reading): { total?: number } {
  return fullRead && windowsDone === 1 && total !== undefined ? { total } : {};
}

function fromPlan({ now, leaveHalf }: Plan): Pick<Plan, 'now' | 'leaveHalf'> {
  return { ...(now !== undefined && { now }), ...(leaveHalf && { leaveHalf }) };
}

/**
 * Sweeps what the run staged, though it was cancelled.
 * @returns what the run ends with: the cancellation, or a failure; should the sweep fail too, it tells of both.
 */
async function swept(run: TableRun, error: unknown): Promise<Error> {
  try {
    await CancellationScope.nonCancellable(() => activities.discardStaged({ run }));
    return error instanceof Error && isCancellation(error) ? error : asApplicationFailure(error);
  } catch (sweepError) {
    const first = asApplicationFailure(error);
    return ApplicationFailure.nonRetryable(
      `${first.message}; and what was staged could not be deleted: ${asApplicationFailure(sweepError).message}`,
      first.type,
      { advice: adviceOf(first) },
    );
  }
}

function progressOf(table: string, phase: TableProgress['phase'], { plan, reading }: Carried): TableProgress {
  return {
    table,
    phase,
    fullRead: plan.fullRead,
    reason: plan.reason,
    read: reading.figures,
    windows: { open: reading.open.length, done: reading.windowsDone },
    notes: reading.notes,
  };
}

function resultOf(
  table: string,
  plan: Plan,
  reading: Reading,
  outcome: Exclude<CommitOutcome, { status: 'overtaken' }>,
  seconds: number,
): SyncTableResult {
  const { fullRead, reason } = plan;
  const base = {
    table,
    fullRead,
    reason,
    version: outcome.version,
    rows: outcome.rows,
    read: reading.figures,
    seconds,
  };
  const notes = [...reading.notes, ...missingNotes(reading)];
  if (outcome.status === 'already_committed') return { ...base, notes };
  const { rowsBefore, inserted, updated, dropped, bytesWritten, columnsAdded, watermark } = outcome;
  const added = columnsAdded.length > 0 ? [`Columns added: ${columnsAdded.join(', ')}`] : [];
  return {
    ...base,
    changes: { rowsBefore, inserted, updated, dropped, bytesWritten, columnsAdded },
    ...(watermark !== undefined && { watermark }),
    notes: [...notes, ...added, ...shrunk(fullRead, rowsBefore, outcome.rows)],
  };
}

function secondsSince(began: number): number {
  return (Date.now() - began) / 1_000;
}

/** A full read that empties a table or halves it is committed, and never silently. */
function shrunk(fullRead: boolean, before: number, after: number): string[] {
  return fullRead && before > 0 && after <= before / 2
    ? [`The table shrank from ${before} rows to ${after}.`]
    : [];
}
