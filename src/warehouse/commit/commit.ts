import { defined } from '../../defined.ts';
import { spanned } from '../../spans.ts';
import type { TableShape } from '../../tables/table.ts';
import { deleteUncommitted } from '../delta/data-file.ts';
import { DeltaLog, versionAfter } from '../delta/log.ts';
import { rowCount } from '../delta/row-count.ts';
import type { Snapshot } from '../delta/snapshot.ts';
import {
  assertWritableTable,
  committedAt,
  counterOf,
  countOffsetOf,
  differencesOf,
  isDisturbed,
  type StateToCommit,
  timeOfCommit,
  versionOfRun,
} from '../delta/table-state.ts';
import { hasDeclaredColumns } from '../delta/target-schema.ts';
import { isUpkeepDue } from '../upkeep/what-is-due.ts';
import type { CommitOutcome, CommitRequest } from '../warehouse.ts';
import type { World } from '../world.ts';
import { actionsOf, type MergedRun, stateToCommit } from './commit-actions.ts';
import { doubtOf } from './doubt.ts';
import { keepAll, stagesNothing } from './keep-all.ts';
import { mergeRun, whyPartsAreUnusable } from './merge-run.ts';
import { parentFiles } from './replaced.ts';

/** A run that asks to be committed. */
type Run = {
  readonly world: World;
  readonly log: DeltaLog;
  readonly table: TableShape;
  readonly request: CommitRequest;
};

/**
 * Makes a run visible: one version with its rows and its state. If another version comes first, it depends on that
 * version whether the merge is repeated on top of it or the run has been overtaken.
 */
export async function commitRun(
  world: World,
  table: TableShape,
  request: CommitRequest,
): Promise<CommitOutcome> {
  const log = new DeltaLog(world, table.name);
  const run: Run = { world, log, table, request };
  for (;;) {
    const before = await log.snapshot();
    if (before) assertWritableTable(table.name, world.destination, before);
    const settled = await outcomeInLog(run, before);
    if (settled) return settled;
    const merged = await mergeOrOutcome(run, before);
    if ('status' in merged) return merged;
    const isReliable = before !== undefined && differencesOf(before) === 0;
    const doubt = doubtOf(merged.result, request, isReliable, before && countOffsetOf(before));
    if (doubt) {
      await deleteUncommitted(world, log, table.name, merged.result.adds);
      return doubt;
    }
    const state = stateToCommit(merged);
    const times = { now: merged.now, since: before ? committedAt(before) : 0 };
    const committed = await spanned('put', { 'incident_io.version': versionAfter(before) }, () =>
      log.commit(before, actionsOf(merged, state), times),
    );
    if (committed) return committedOutcome(merged, state);
    await deleteUncommitted(world, log, table.name, merged.result.adds);
  }
}

/** What the log says about the run before anything is merged; `undefined` if the run may commit on top of it. */
async function outcomeInLog(
  { world, log, table, request }: Run,
  snapshot: Snapshot | undefined,
): Promise<CommitOutcome | undefined> {
  const { chainId, plannedOn, fullRead, unchanged } = request;
  const overtaken = (reason: string): CommitOutcome => ({ status: 'overtaken', reason });
  if (!snapshot) {
    return plannedOn === 'none'
      ? undefined
      : overtaken('the table has been deleted since the run was planned');
  }
  if (counterOf(snapshot) !== plannedOn) {
    const version = await versionOfRun(log, snapshot, chainId, plannedOn);
    if (version === undefined) return overtaken('another run has committed since this one was planned');
    const rows = await rowCount(world, table.name, snapshot.files.values());
    return { status: 'already_committed', version, rows };
  }
  // A full read replaces all that the table holds, also what another writer has just changed.
  if (fullRead && !unchanged) return undefined;
  if (await isDisturbed(log, snapshot)) {
    return overtaken('another writer has changed the table since the run was planned');
  }
  // Another version of this program planned the run, or another writer changed the columns. The rows that the run did
  // not read would lack columns.
  if (!hasDeclaredColumns(table, snapshot.metadata)) {
    return overtaken('the table has other columns than the declared ones');
  }
  return undefined;
}

/**
 * Merges the run's parts. Meanwhile an attempt that Temporal gave up on may commit the same run and delete its parts;
 * so if the merge does not succeed, the log may still have the run's outcome.
 */
async function mergeOrOutcome(run: Run, before: Snapshot | undefined): Promise<MergedRun | CommitOutcome> {
  const { world, log, table, request } = run;
  const now = timeOfCommit(world.now(), before);
  let merged: MergedRun | CommitOutcome;
  try {
    merged = await spanned('merge', { 'incident_io.parts': request.parts.length }, async () => {
      const reason = await whyPartsAreUnusable(world, table, request);
      if (reason !== undefined) return { status: 'overtaken', reason } as const;
      if (before && stagesNothing(request)) {
        const merged = await keepAll(world, table, before);
        return { table, request, before, now, ...merged };
      }
      const parents = await parentFiles(world, request);
      if (!parents) return { status: 'overtaken', reason: 'the version of its parent that was read is gone' };
      const merged = await mergeRun(world, table, request, { before, now, parents });
      return { table, request, before, now, ...merged };
    });
  } catch (error) {
    const outcome = await outcomeInLog(run, await log.snapshot());
    if (outcome) return outcome;
    throw error;
  }
  if (!('status' in merged)) return merged;
  return (await outcomeInLog(run, await log.snapshot())) ?? merged;
}

function committedOutcome(run: MergedRun, state: StateToCommit): CommitOutcome {
  const { before, schema, result } = run;
  return {
    status: 'committed',
    version: versionAfter(before),
    counter: state.counter,
    rows: result.rows,
    rowsBefore: result.rowsBefore,
    inserted: result.inserted,
    updated: result.updated,
    dropped: result.dropped,
    bytesWritten: result.adds.reduce((sum, { size }) => sum + size, 0),
    columnsAdded: schema.added,
    differences: state.differences,
    ...defined({ watermark: state.watermark, upkeepSince: upkeepSince(run) }),
  };
}

/** The time to hand to upkeep; `undefined` if the commit leaves it nothing to do. */
function upkeepSince({ table, before, result, now }: MergedRun): number | undefined {
  if (!before) return undefined;
  const files = new Map(before.files);
  for (const { path } of result.removed) files.delete(path);
  for (const add of result.adds) files.set(add.path, add);
  const since = committedAt(before);
  return isUpkeepDue(table, { ...before, files }, { since, now }) ? since : undefined;
}
