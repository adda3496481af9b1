import { type FormEvent, useState } from 'react';
import type { TableSettingsJson } from '../../src/console/contract/common.ts';
import type { OfferedTable } from '../../src/console/contract/link.ts';
import { Choice, Field } from '../parts/field.tsx';
import { ColumnsKept } from './columns-kept.tsx';
import { FieldChoice, frequencyInWords, FrequencyChoice, MethodChoice } from './sync-choices.tsx';

type Props = {
  readonly offered: OfferedTable;
  readonly frequencies: readonly string[];
  readonly before: TableSettingsJson;
  readonly review: (settings: TableSettingsJson) => void;
  readonly remove: () => void;
};

/** How one table is synced. Nothing changes before the difference has been shown. */
export function TableForm({ offered, frequencies, before, review, remove }: Props) {
  const [settings, setSettings] = useState(before);
  const isChanged = JSON.stringify(settings) !== JSON.stringify(before);
  const choices = { table: offered, settings, set: setSettings };
  return (
    <form
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        review(settings);
      }}
    >
      <div className="form-grid">
        <Field label="Sync method">{({ id }) => <MethodChoice {...choices} id={id} />}</Field>
        {settings.incrementalField !== undefined && (
          <Field label="Incremental field">{({ id }) => <FieldChoice {...choices} id={id} />}</Field>
        )}
        <Field label="Frequency">
          {({ id }) => <FrequencyChoice {...choices} id={id} frequencies={frequencies} />}
        </Field>
        <FullReads settings={settings} set={setSettings} frequencies={frequencies} />
      </div>
      {offered.nested.length > 0 && (
        <label className="check">
          <input
            type="checkbox"
            checked={settings.nested !== false}
            onChange={(event) => setSettings(withNested(settings, event.target.checked))}
          />
          <span>Also keep the tables made from lists in its rows: {offered.nested.join(', ')}</span>
        </label>
      )}
      <ColumnsKept columns={offered.columns} settings={settings} set={setSettings} />
      <div className="actions">
        <button type="button" className="button dangerous" onClick={remove}>
          Stop syncing it
        </button>
        <button type="submit" className="button primary" disabled={!isChanged}>
          Show the difference
        </button>
      </div>
    </form>
  );
}

type Settable = { readonly settings: TableSettingsJson; readonly set: (settings: TableSettingsJson) => void };

function FullReads({ settings, set, frequencies }: Settable & { readonly frequencies: readonly string[] }) {
  const { fullReadEvery } = settings;
  if (fullReadEvery === undefined) return null;
  const values = [...new Set([fullReadEvery, ...frequencies, 'never'])] as (typeof fullReadEvery)[];
  const words = Object.fromEntries(
    values.map((every) => [every, every === 'never' ? 'Never' : frequencyInWords(every)]),
  );
  return (
    <Field label="Full read" hint="So that deleted rows disappear.">
      {({ id }) => (
        <Choice
          id={id}
          value={fullReadEvery}
          values={values}
          words={words}
          choose={(every) => set({ ...settings, fullReadEvery: every })}
        />
      )}
    </Field>
  );
}

/** The default is left out of the file. */
function withNested({ nested: _nested, ...settings }: TableSettingsJson, on: boolean): TableSettingsJson {
  return on ? settings : { ...settings, nested: false };
}
