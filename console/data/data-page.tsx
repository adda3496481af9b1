import type { DataTables } from '../../src/console/contract/data.ts';
import { goTo, sourceHref } from '../app/route.ts';
import { useAnswer } from '../app/use-answer.ts';
import { Empty, WhenLoaded } from '../parts/loading.tsx';
import { SqlBox } from './sql-box.tsx';
import { TablePage } from './table-page.tsx';

type Props = { readonly id: string; readonly table: string };

/** The tables in the destination: one of them, or SQL over all of them. */
export function DataPage({ id, table }: Props) {
  const loaded = useAnswer<'dataTables'>(`/api/sources/${encodeURIComponent(id)}/data`);
  return (
    <WhenLoaded loaded={loaded} what="tables">
      {({ tables }) =>
        tables.length === 0 ? (
          <Empty title="There are no tables yet.">
            <p>A table appears with the first commit of its import.</p>
            <button type="button" className="button" onClick={loaded.again}>
              Look again
            </button>
          </Empty>
        ) : (
          <div className="with-aside">
            <TableList id={id} table={table} tables={tables} />
            <div className="beside">
              {table === '' ? (
                <SqlBox id={id} first={tables[0]!.table} />
              ) : (
                <TablePage key={table} id={id} table={table} />
              )}
            </div>
          </div>
        )
      }
    </WhenLoaded>
  );
}

type Tables = DataTables['tables'];

/** On narrow pages, a select box replaces the list. */
function TableList({ id, table, tables }: Props & { readonly tables: Tables }) {
  const groups = [...Map.groupBy(tables, ({ group = 'Others' }) => group)];
  return (
    <>
      <nav className="aside" aria-label="Data">
        <ul>
          <li>
            <a href={sourceHref(id, 'data')} aria-current={table === '' ? 'page' : undefined}>
              SQL
            </a>
          </li>
        </ul>
        {groups.map(([group, members]) => (
          <div key={group}>
            <h2>{group}</h2>
            <ul>
              {members.map(({ table: name }) => (
                <li key={name}>
                  <a href={sourceHref(id, 'data', name)} aria-current={table === name ? 'page' : undefined}>
                    {name}
                  </a>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <select
        className="aside-choice"
        aria-label="Table"
        value={table}
        onChange={({ target: { value } }) => goTo(sourceHref(id, 'data', value === '' ? undefined : value))}
      >
        <option value="">SQL</option>
        {groups.map(([group, members]) => (
          <optgroup key={group} label={group}>
            {members.map(({ table: name }) => (
              <option key={name}>{name}</option>
            ))}
          </optgroup>
        ))}
      </select>
    </>
  );
}
