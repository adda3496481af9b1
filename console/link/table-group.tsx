import type { TableSettingsJson } from '../../src/console/contract/common.ts';
import type { CheckedKey, OfferedTable } from '../../src/console/contract/link.ts';
import { ScrollingTable } from '../parts/scrolling-table.tsx';
import type { Chosen } from './choose.ts';
import { TableRow } from './table-row.tsx';

export type Permission = CheckedKey['tables'][number];

type Props = {
  readonly group: string;
  readonly tables: readonly OfferedTable[];
  readonly frequencies: readonly string[];
  readonly permissions: ReadonlyMap<string, Permission>;
  readonly chosen: Chosen;
  readonly tick: (tables: readonly string[]) => void;
  readonly untick: (tables: readonly string[]) => void;
  readonly set: (table: string, settings: TableSettingsJson) => void;
};

/** The tables of one subject, with a box for all of them. */
export function TableGroup({ group, tables, frequencies, permissions, chosen, tick, untick, set }: Props) {
  const readable = tables.filter(({ table }) => permissions.get(table)?.allowed).map(({ table }) => table);
  const ticked = readable.filter((table) => chosen[table]);
  return (
    <section className="group" aria-label={group}>
      <h2 className="group-head">
        <label>
          <input
            type="checkbox"
            checked={ticked.length > 0 && ticked.length === readable.length}
            disabled={readable.length === 0}
            ref={(box) => {
              if (box) box.indeterminate = ticked.length > 0 && ticked.length < readable.length;
            }}
            onChange={(event) => (event.target.checked ? tick(readable) : untick(readable))}
          />
          {group}
        </label>
        <span className="muted">
          {ticked.length} of {tables.length}
        </span>
      </h2>
      <ScrollingTable label={`Tables: ${group}`} className="choose">
        <thead>
          <tr>
            <th scope="col">Table</th>
            <th scope="col">Sync method</th>
            <th scope="col">Incremental field</th>
            <th scope="col">Frequency</th>
            <th scope="col" className="number">
              Rows
            </th>
            <th scope="col" className="number">
              First sync
            </th>
            <th scope="col">Scope</th>
          </tr>
        </thead>
        <tbody>
          {tables.map((table) => (
            <TableRow
              key={table.table}
              table={table}
              frequencies={frequencies}
              permission={permissions.get(table.table)}
              settings={chosen[table.table]}
              tick={(on) => (on ? tick([table.table]) : untick([table.table]))}
              set={(settings) => set(table.table, settings)}
            />
          ))}
        </tbody>
      </ScrollingTable>
    </section>
  );
}
