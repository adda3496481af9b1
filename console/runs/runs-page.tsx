import { useState } from 'react';
import type { PastRunJson } from '../../src/console/contract/runs.ts';
import type { SourceDetail } from '../../src/console/contract/sources.ts';
import { goTo, sourceHref } from '../app/route.ts';
import { useAnswer } from '../app/use-answer.ts';
import { Choice } from '../parts/field.tsx';
import { Empty, WhenLoaded } from '../parts/loading.tsx';
import { ScrollingTable } from '../parts/scrolling-table.tsx';
import { TableProblems } from '../parts/table-problems.tsx';
import { RunRow } from './run-row.tsx';

type Props = { readonly id: string; readonly table: string; readonly detail: SourceDetail };

const firstRuns = 50;
const moreRuns = 500;

/** What each run did, newest first. */
export function RunsPage({ id, table, detail }: Props) {
  const [limit, setLimit] = useState(firstRuns);
  const only = table === '' ? '' : `&table=${encodeURIComponent(table)}`;
  const loaded = useAnswer<'runs'>(`/api/sources/${encodeURIComponent(id)}/runs?limit=${limit}${only}`);
  const names = detail.tables.map((one) => one.table).sort();
  return (
    <>
      <div className="filters">
        <Choice
          label="Runs of which table"
          value={table}
          values={['', ...names]}
          words={{ '': 'All tables' }}
          choose={(name) => goTo(sourceHref(id, 'runs', name === '' ? undefined : name))}
        />
        <button type="button" className="button" disabled={loaded.loading} onClick={loaded.again}>
          {loaded.loading ? 'Reading …' : 'Read again'}
        </button>
      </div>
      <WhenLoaded loaded={loaded} what="runs">
        {({ runs, unread }) => (
          <>
            <TableProblems problems={unread} kind="warn" />
            {runs.length === 0 ? <Empty title="No run yet." /> : <RunTable runs={runs} />}
            {runs.length === limit && limit === firstRuns && (
              <button type="button" className="button" onClick={() => setLimit(moreRuns)}>
                Show more
              </button>
            )}
          </>
        )}
      </WhenLoaded>
    </>
  );
}

function RunTable({ runs }: { readonly runs: readonly PastRunJson[] }) {
  return (
    <ScrollingTable label="Runs" className="fixed-first">
      <thead>
        <tr>
          <th scope="col">Table</th>
          <th scope="col">Outcome</th>
          <th scope="col">Started (UTC)</th>
          <th scope="col" className="number">
            Took
          </th>
          <th scope="col" className="number">
            New
          </th>
          <th scope="col" className="number">
            Changed
          </th>
          <th scope="col" className="number">
            Gone
          </th>
          <th scope="col" className="number">
            Requests
          </th>
          <th scope="col" className="number">
            Read
          </th>
          <th scope="col">Reason and notes</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <RunRow key={run.id} run={run} />
        ))}
      </tbody>
    </ScrollingTable>
  );
}
