import type { Settings, TableSettings } from '../settings/settings.ts';
import type { TableChange } from './apply.ts';
import type { Difference } from './schedule/schedule-differences.ts';

/** What happens to the schedule of a table, in words; empty if nothing changes. */
export function changeInWords(settings: Settings, change: TableChange): string {
  switch (change.change) {
    case 'create':
      return howSynced(settings.tables[change.table]!);
    case 'update':
      return worthTelling(change.differences).map(differenceInWords).join('; ');
    case 'delete':
      return 'its run is cancelled; the table stays';
    case 'none':
      return '';
  }
}

/** `incremental by updated_at every 15m, in full every 24h`. */
export function howSynced({ syncMethod, incrementalField, every, fullReadEvery }: TableSettings): string {
  if (fullReadEvery === undefined) return `${syncMethod} every ${every}`;
  if (incrementalField === undefined) {
    const turns = fullReadEvery === 'never' ? '' : `, each parent every ${fullReadEvery}`;
    return `${syncMethod} by parents that changed, every ${every}${turns}`;
  }
  const full = fullReadEvery === 'never' ? 'never in full' : `in full every ${fullReadEvery}`;
  return `${syncMethod} by ${incrementalField} every ${every}, ${full}`;
}

/** Leaves out differences that merely follow from a new frequency. */
function worthTelling(differences: readonly Difference[]): readonly Difference[] {
  if (!differences.some(({ name }) => name === 'every')) return differences;
  return differences.filter(({ name }) => !['offset', 'catch up', 'run.limits.giveUpAfter'].includes(name));
}

function differenceInWords({ name, from, to }: Difference): string {
  return `${name}: ${from ?? 'none'} → ${to ?? 'none'}`;
}
