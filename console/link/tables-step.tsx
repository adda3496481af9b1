import { useMemo, useState } from 'react';
import type { CheckedKey, OfferedTable } from '../../src/console/contract/link.ts';
import { countOf } from '../format/numbers.ts';
import { Empty } from '../parts/loading.tsx';
import { added, type Chosen, type Groups, without } from './choose.ts';
import { Costs } from './costs.tsx';
import { TableGroup } from './table-group.tsx';

type Props = {
  readonly groups: Groups;
  readonly frequencies: readonly string[];
  readonly checked: CheckedKey;
  readonly chosen: Chosen;
  readonly setChosen: (chosen: Chosen) => void;
  readonly back: () => void;
  readonly next: () => void;
};

/** Choose the tables, and how each is synced. */
export function TablesStep({ groups, frequencies, checked, chosen, setChosen, back, next }: Props) {
  const [words, setWords] = useState('');
  const permissions = useMemo(() => new Map(checked.tables.map((one) => [one.table, one])), [checked]);
  const count = Object.keys(chosen).length;
  const shown = groups
    .map(({ group, tables }) => ({ group, tables: tables.filter((table) => isFound(table, words)) }))
    .filter(({ tables }) => tables.length > 0);
  const readable = groups
    .flatMap(({ tables }) => tables)
    .filter(({ table, selectedBy }) => selectedBy !== 'name' && permissions.get(table)?.allowed)
    .map(({ table }) => table);
  return (
    <>
      <p className="lead">
        Choose the tables to keep current. Those that most people want are ticked. How and how often each one
        is synced can be changed later.
      </p>
      <Filters
        words={words}
        search={setWords}
        buttons={[
          ['Tick all', () => setChosen(added(chosen, groups, readable))],
          ['Suggested', () => setChosen(added({}, groups, checked.suggested))],
          ['None', () => setChosen({})],
        ]}
      />
      {shown.length === 0 && <Empty title="No table matches." />}
      {shown.map(({ group, tables }) => (
        <TableGroup
          key={group}
          group={group}
          tables={tables}
          frequencies={frequencies}
          permissions={permissions}
          chosen={chosen}
          tick={(names) => setChosen(added(chosen, groups, names))}
          untick={(names) => setChosen(without(chosen, groups, names))}
          set={(table, settings) => setChosen({ ...chosen, [table]: settings })}
        />
      ))}
      <div className="foot">
        <p className="foot-facts">
          <strong>{countOf(count, 'table')}</strong>
          <Costs draft={checked.draft} chosen={chosen} />
        </p>
        <div className="actions">
          <button type="button" className="button" onClick={back}>
            Back
          </button>
          <button type="button" className="button primary" disabled={count === 0} onClick={next}>
            Next
          </button>
        </div>
      </div>
    </>
  );
}

function Filters({
  words,
  search,
  buttons,
}: {
  readonly words: string;
  readonly search: (words: string) => void;
  readonly buttons: readonly (readonly [name: string, choose: () => void])[];
}) {
  return (
    <div className="filters">
      <input
        type="search"
        aria-label="Search tables"
        placeholder="Search tables"
        value={words}
        onChange={(event) => search(event.target.value)}
      />
      {buttons.map(([name, choose]) => (
        <button key={name} type="button" className="button" onClick={choose}>
          {name}
        </button>
      ))}
    </div>
  );
}

function isFound({ table, description, group }: OfferedTable, words: string): boolean {
  const text = `${table} ${description} ${group}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
