import type { TableChange } from '../../connections/apply.ts';
import { changeInWords } from '../../connections/change-in-words.ts';
import type { Neighbour } from '../../connections/schedule/neighbours.ts';
import type { Settings } from '../../settings/settings.ts';
import type { PlannedChange } from '../contract/sources.ts';

/** What happens to the schedules, without those that do not change. */
export function changesJson(settings: Settings, changes: readonly TableChange[]): PlannedChange['changes'] {
  return changes
    .filter(({ change }) => change !== 'none')
    .map((change) => ({ table: change.table, change: change.change, what: changeInWords(settings, change) }));
}

export function neighboursJson(
  { tables }: Settings,
  neighbours: readonly Neighbour[],
): PlannedChange['neighbours'] {
  return neighbours.map(({ connection, tables: theirs }) => ({
    connection,
    shared: theirs.filter((table) => table in tables),
  }));
}
