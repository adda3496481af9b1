import type { TableShape } from '../../tables/table.ts';
import type { Action } from '../delta/actions.ts';
import { DeltaLog } from '../delta/log.ts';
import { committedAt, commitTimeIn } from '../delta/table-state.ts';
import type { Changes, SeenVersion } from '../committed-rows.ts';
import type { World } from '../world.ts';

/**
 * What has happened to a table after a version of it that was seen, up to another one.
 * @param seen `undefined` if no version was seen
 */
export async function changesSince(
  world: World,
  table: Pick<TableShape, 'name'>,
  seen: SeenVersion | undefined,
  upTo: SeenVersion,
): Promise<Changes> {
  if (!seen || seen.tableId !== upTo.tableId || seen.version > upTo.version) return 'everything';
  const log = new DeltaLog(world, table.name);
  let changed = false;
  for (let version = upTo.version; version > seen.version; version -= 1) {
    const actions = await log.actionsOf(version);
    if (actions === undefined) return 'everything';
    if (!changesData(actions)) continue;
    // Another writer leaves `_synced_at` as it is.
    if (commitTimeIn(actions) === undefined) return 'everything';
    changed = true;
  }
  if (!changed) return 'nothing';
  const snapshot = await log.snapshot(seen.version);
  return snapshot ? { since: committedAt(snapshot) } : 'everything';
}

function changesData(actions: readonly Action[]): boolean {
  return actions.some(({ add, remove }) => add?.dataChange === true || remove?.dataChange === true);
}
