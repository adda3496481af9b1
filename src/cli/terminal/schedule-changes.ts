import type { Settings, TableSettings } from '../../settings/settings.ts';
import type { Difference, TableChange } from '../../connections/schedules.ts';
import { printTable } from './output.ts';
import type { Output, Session } from '../session.ts';

/** Prints what becomes of each table's schedule; those that stay as they are, not. */
export function printChanges(output: Output, settings: Settings, changes: readonly TableChange[]): void {
  printTable(
    output,
    changes.filter(({ change }) => change !== 'none'),
    [
      { head: 'table', value: ({ table }) => table },
      { head: 'schedule', value: ({ change }) => change },
      { head: 'what', value: (change) => inWords(settings, change), wrap: true },
    ],
  );
}

function inWords(settings: Settings, change: TableChange): string {
  switch (change.change) {
    case 'create':
      return howKept(settings.tables[change.table]!);
    case 'update':
      return worthTelling(change.differences).map(differenceInWords).join('; ');
    case 'delete':
      return `its run is cancelled; the table stays in ${settings.destination}`;
    case 'none':
      return '';
  }
}

/** `incremental by updated_at every 15m, everything every 24h`. */
export function howKept({ syncMethod, incrementalField, every, fullReadEvery }: TableSettings): string {
  if (incrementalField === undefined) return `${syncMethod} every ${every}`;
  const whole = fullReadEvery === 'never' ? 'never everything' : `everything every ${fullReadEvery}`;
  return `${syncMethod} by ${incrementalField} every ${every}, ${whole}`;
}

/** What follows from a frequency is of no interest beside it. */
function worthTelling(differences: readonly Difference[]): readonly Difference[] {
  if (!differences.some(({ name }) => name === 'every')) return differences;
  return differences.filter(({ name }) => !['offset', 'catch up', 'run.limits.giveUpAfterMs'].includes(name));
}

function differenceInWords({ name, from, to }: Difference): string {
  return `${name}: ${from ?? 'none'} → ${to ?? 'none'}`;
}

/** The same for a machine. */
export function changesAsJson(changes: readonly TableChange[]): unknown {
  return changes.map((change) => ({
    table: change.table,
    change: change.change,
    differences: change.change === 'update' ? change.differences : [],
  }));
}

/** Runs that could not be waited for. */
export function tellUnanswered({ stderr }: Session, unanswered: readonly string[]): void {
  for (const id of unanswered) {
    stderr.write(
      `note: no worker answers for the run ${id}: it ends, and sweeps its staging, once one does.\n`,
    );
  }
}
