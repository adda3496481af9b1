import type { TableSettingsJson } from '../../src/console/contract/common.ts';
import type { OfferedTable } from '../../src/console/contract/link.ts';
import { withMethod } from '../link/choose.ts';
import { Choice } from '../parts/field.tsx';

export const methodWords = { incremental: 'Incremental', full_refresh: 'Full refresh' };

/** `15m` in words. */
export function frequencyInWords(every: string): string {
  const unit = { s: 'seconds', m: 'minutes', h: 'hours', d: 'days' }[every.at(-1) ?? ''];
  const count = Number.parseInt(every, 10);
  if (unit === undefined) return every;
  return count === 1 ? `Every ${unit.slice(0, -1)}` : `Every ${count} ${unit}`;
}

type Props = {
  readonly table: OfferedTable;
  readonly settings: TableSettingsJson;
  readonly set: (settings: TableSettingsJson) => void;
  readonly disabled?: boolean;
  readonly id?: string;
};

/** How the table is synced; plain text if there is no choice. */
export function MethodChoice({ table, settings, set, ...rest }: Props) {
  if (table.syncMethods.length === 1)
    return <span className="nowrap">{methodWords[settings.syncMethod]}</span>;
  return (
    <Choice
      {...labelOf(`Sync method of ${table.table}`, rest)}
      {...rest}
      value={settings.syncMethod}
      values={table.syncMethods}
      words={methodWords}
      choose={(method) => set(withMethod(table, settings, method))}
    />
  );
}

/** The field that tells which rows changed. */
export function FieldChoice({ table, settings, set, ...rest }: Props) {
  const { incrementalField } = settings;
  if (incrementalField === undefined) return <span className="muted">–</span>;
  if (table.incrementalFields.length === 1) return <code>{incrementalField}</code>;
  return (
    <Choice
      {...labelOf(`Incremental field of ${table.table}`, rest)}
      {...rest}
      value={incrementalField}
      values={table.incrementalFields}
      choose={(field) => set({ ...settings, incrementalField: field })}
    />
  );
}

/** How often the table is synced. */
export function FrequencyChoice({
  table,
  settings,
  set,
  frequencies,
  ...rest
}: Props & { readonly frequencies: readonly string[] }) {
  // A frequency that was written into the file by hand, such as 10s for a sandbox, stays available.
  const values = frequencies.includes(settings.every) ? frequencies : [settings.every, ...frequencies];
  return (
    <Choice
      {...labelOf(`Frequency of ${table.table}`, rest)}
      {...rest}
      value={settings.every}
      values={values as TableSettingsJson['every'][]}
      words={Object.fromEntries(values.map((every) => [every, frequencyInWords(every)]))}
      choose={(every) => set({ ...settings, every })}
    />
  );
}

/** Inside a table, the choice has no visible label. */
function labelOf(label: string, { id }: Pick<Props, 'id'>): { label?: string } {
  return id === undefined ? { label } : {};
}
