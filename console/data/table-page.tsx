import { Tabs } from '@base-ui/react/tabs';
import { useState } from 'react';
import type { TableData } from '../../src/console/contract/data.ts';
import { useAnswer } from '../app/use-answer.ts';
import { countOf } from '../format/numbers.ts';
import { utc } from '../format/times.ts';
import { WhenLoaded } from '../parts/loading.tsx';
import { ColumnList } from './column-list.tsx';
import { ResultTable } from './result-table.tsx';
import { openInSql } from './sql-draft.ts';
import { VersionList } from './version-list.tsx';

type Props = { readonly id: string; readonly table: string };

/** One table: its newest rows, columns and versions. */
export function TablePage({ id, table }: Props) {
  const [version, setVersion] = useState<number>();
  const [tab, setTab] = useState('rows');
  const asOf = version === undefined ? '' : `?version=${version}`;
  const path = `/api/sources/${encodeURIComponent(id)}/data/${encodeURIComponent(table)}${asOf}`;
  const loaded = useAnswer<'tableData'>(path);
  const show = (one: number | undefined) => {
    setVersion(one);
    setTab('rows');
  };
  return (
    <>
      <h2 className="table-title">{table}</h2>
      <WhenLoaded loaded={loaded} what={table}>
        {(data) => (
          <>
            {data.description !== undefined && <p>{data.description}</p>}
            {data.version !== data.newest && <AsOf data={data} newest={() => show(undefined)} />}
            <Tabs.Root value={tab} onValueChange={(value: string) => setTab(value)}>
              <div className="tabs-head">
                <Tabs.List className="tabs" aria-label={table}>
                  <Tabs.Tab value="rows">Newest rows</Tabs.Tab>
                  <Tabs.Tab value="columns">Columns</Tabs.Tab>
                  <Tabs.Tab value="versions">Versions</Tabs.Tab>
                </Tabs.List>
                <button type="button" className="button" onClick={() => openInSql(id, draftFor(data))}>
                  Query it
                </button>
              </div>
              <Tabs.Panel value="rows">
                <p className="muted">
                  {countOf(data.rows.length, 'row')}
                  {data.orderedBy !== undefined && (
                    <>
                      , newest by <code>{data.orderedBy}</code>
                    </>
                  )}
                </p>
                <ResultTable label={`Rows of ${table}`} result={data} />
              </Tabs.Panel>
              <Tabs.Panel value="columns">
                <ColumnList table={table} columns={data.columns} />
              </Tabs.Panel>
              <Tabs.Panel value="versions">
                <VersionList data={data} show={show} />
              </Tabs.Panel>
            </Tabs.Root>
          </>
        )}
      </WhenLoaded>
    </>
  );
}

function AsOf({ data, newest }: { readonly data: TableData; readonly newest: () => void }) {
  const at = data.versions.find(({ version }) => version === data.version)?.at;
  return (
    <div className="notice info as-of">
      <p>
        Rows as of version {data.version}
        {at !== undefined && `, ${utc(at)} UTC`}.
      </p>
      <button type="button" className="button" onClick={newest}>
        Show the newest
      </button>
    </div>
  );
}

function draftFor({ table, version, newest }: TableData) {
  return {
    sql: `SELECT *\nFROM ${table}\nLIMIT 100`,
    ...(version !== newest && { versions: { [table]: version } }),
  };
}
