import type { TableChange } from '../../connections/apply.ts';
import { changeInWords } from '../../connections/change-in-words.ts';
import type { Neighbour } from '../../connections/schedule/neighbours.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Output, Session } from '../session.ts';
import { printTable } from './output.ts';
import { writeText } from './text.ts';

/** Prints what happens to each table's schedule, except those that stay as they are. */
export function printChanges(output: Output, settings: Settings, changes: readonly TableChange[]): void {
  printTable(
    output,
    changes.filter(({ change }) => change !== 'none'),
    [
      { head: 'table', value: ({ table }) => table },
      { head: 'schedule', value: ({ change }) => change },
      { head: 'what', value: (change) => changeInWords(settings, change), wrap: true },
    ],
  );
}

/** The same for a machine. */
export function changesAsJson(changes: readonly TableChange[]): unknown {
  return changes.map((change) => ({
    table: change.table,
    change: change.change,
    differences: change.change === 'update' ? change.differences : [],
  }));
}

/** Warns of other connections that sync into the same destination. */
export function tellNeighbours(
  { stderr }: Session,
  { destination, tables }: Settings,
  neighbours: readonly Neighbour[],
): void {
  for (const { connection, tables: theirs } of neighbours) {
    const shared = theirs.filter((table) => table in tables);
    const what =
      shared.length === 0 ? '' : ` Both sync ${shared.join(', ')}, so their runs would overtake each other.`;
    writeText(stderr, `warning: the connection ${connection} also syncs into ${destination}.${what}`);
    if (shared.length > 0) writeText(stderr, '  → Use another destination, or unlink one of the two.');
  }
}

/** Reports runs that were cancelled but could not be waited for. */
export function tellUnanswered({ stderr }: Session, unanswered: readonly string[]): void {
  for (const id of unanswered) {
    writeText(
      stderr,
      `note: no worker responds for the run ${id}: it ends, and deletes what it staged, once one does.`,
    );
  }
}
