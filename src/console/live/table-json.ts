import type { EndedRun } from '../../connections/runs/ended-runs.ts';
import { healthOf } from '../../connections/status/table-health.ts';
import type { TableStatus } from '../../connections/status/table-status.ts';
import { defined } from '../../defined.ts';
import { hideSecrets } from '../../secrets.ts';
import { tableNamed } from '../../tables/index.ts';
import type { LiveRun, SourceTable } from '../contract/sources.ts';
import { problemJson } from '../problem-json.ts';

/**
 * A table as a page shows it.
 * @param readAt when the status was read, milliseconds since the epoch
 * @param run its run in progress now
 */
export function tableJson(status: TableStatus, readAt: number, run: LiveRun | undefined): SourceTable {
  const { table, schedule, note, buffered, lastRun, lastSuccess, nextRun, rows, lagSeconds, lateSince } =
    status;
  const { watermark, lastFullRead } = status;
  const { description, group } = tableNamed(table);
  const { state, error, message, advice } = healthOf(status);
  return {
    table,
    description,
    group,
    state,
    ...defined({ error, advice, message: message === undefined ? undefined : hideSecrets(message) }),
    settings: settingsIn(status),
    schedule,
    buffered,
    ...defined({ note, run, lastSuccess, nextRun, rows, watermark, lastFullRead, lateSince }),
    ...(lastRun && { lastRun: endedJson(lastRun) }),
    ...(lagSeconds !== undefined && { completeTo: new Date(readAt - lagSeconds * 1_000).toISOString() }),
  };
}

/** How the table is synced, without the fields that its status adds. */
export function settingsIn(status: TableStatus): SourceTable['settings'] {
  const { syncMethod, every, incrementalField, fullReadEvery, columns, nested } = status;
  const { exclude, land } = columns ?? {};
  return {
    syncMethod,
    every,
    ...defined({ incrementalField, fullReadEvery, nested }),
    ...(columns && {
      columns: { ...(exclude && { exclude: [...exclude] }), ...(land && { land: [...land] }) },
    }),
  };
}

function endedJson({
  outcome,
  started,
  ended,
  result,
  failure,
}: EndedRun): NonNullable<SourceTable['lastRun']> {
  return {
    outcome,
    started,
    ...defined({ ended, seconds: result?.seconds }),
    ...(failure && { failure: problemJson(failure) }),
  };
}
