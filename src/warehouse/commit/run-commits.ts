import type { CommitInfo } from '../delta/actions.ts';
import type { DeltaLog } from '../delta/log.ts';
import { runParameter } from '../delta/table-state.ts';
import type { RunCommit } from '../warehouse.ts';

/** Between two commits of runs there are few others: upkeep, a resync, other writers. */
const versionsPerCommit = 3;

/**
 * The latest commits of runs, newest first. The log keeps them for as long as older versions can be read; a version
 * that a cleanup has deleted ends the list.
 */
export async function runCommits(log: DeltaLog, most: number): Promise<RunCommit[]> {
  const newest = await log.newestVersion();
  const found: RunCommit[] = [];
  if (newest === undefined) return found;
  const oldest = Math.max(0, newest - versionsPerCommit * most);
  for (let version = newest; version >= oldest && found.length < most; version -= 1) {
    const actions = await log.actionsOf(version);
    if (actions === undefined) break;
    const info = actions.find(({ commitInfo }) => commitInfo)?.commitInfo;
    const commit = info && commitOf(version, info);
    if (commit) found.push(commit);
  }
  return found;
}

/** `undefined` for a commit that is not a run's. */
function commitOf(version: number, info: CommitInfo): RunCommit | undefined {
  const { timestamp = 0, operation, operationParameters = {}, operationMetrics = {}, engineInfo } = info;
  const chainId = operationParameters[runParameter];
  if (engineInfo !== 'incident-io-source' || typeof chainId !== 'string') return undefined;
  const figure = (name: string) => Number(operationMetrics[name] ?? 0);
  return {
    version,
    at: timestamp,
    chainId,
    fullRead: operation === 'WRITE',
    rows: figure('numRows'),
    inserted: figure('numRowsInserted'),
    updated: figure('numRowsUpdated'),
    dropped: figure('numRowsDropped'),
  };
}
