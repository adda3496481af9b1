import type { SourceTable } from '../../src/console/contract/sources.ts';
import { counted } from '../format/numbers.ts';
import { ScrollingTable } from '../parts/scrolling-table.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { Lag, Time } from '../parts/time.tsx';
import { frequencyInWords, methodWords } from './sync-choices.tsx';

type Props = { readonly tables: readonly SourceTable[]; readonly open: (table: string) => void };

/** All tables, worst first as the server sends them. */
export function SourceTables({ tables, open }: Props) {
  return (
    <ScrollingTable label="Tables of this source" className="fixed-first">
      <thead>
        <tr>
          <th scope="col">Table</th>
          <th scope="col">State</th>
          <th scope="col">Sync method</th>
          <th scope="col">Frequency</th>
          <th scope="col">Last run</th>
          <th scope="col">Next run</th>
          <th scope="col" className="number">
            Lag
          </th>
          <th scope="col" className="number">
            Rows
          </th>
        </tr>
      </thead>
      <tbody>
        {tables.map((table) => (
          <Row key={table.table} table={table} open={open} />
        ))}
      </tbody>
    </ScrollingTable>
  );
}

function Row({ table, open }: { readonly table: SourceTable; readonly open: Props['open'] }) {
  const { table: name, state, settings, run, completeTo, rows } = table;
  return (
    <tr>
      <th scope="row">
        <button type="button" className="link-button" onClick={() => open(name)}>
          {name}
        </button>
      </th>
      <td>
        <StateBadge state={state} running={run !== undefined} />
      </td>
      <td>
        <span className="nowrap">{methodWords[settings.syncMethod]}</span>
        {settings.incrementalField !== undefined && (
          <>
            <br />
            <code>{settings.incrementalField}</code>
          </>
        )}
      </td>
      <td className="nowrap">{frequencyInWords(settings.every)}</td>
      <td>
        <LastRun table={table} />
      </td>
      <td className="nowrap">
        <NextRun table={table} />
      </td>
      <td className="number nowrap">{completeTo === undefined ? '–' : <Lag since={completeTo} />}</td>
      <td className="number">{rows === undefined ? '–' : counted(rows)}</td>
    </tr>
  );
}

const outcomeWords = {
  synced: 'Synced',
  failed: 'Failed',
  cancelled: 'Cancelled',
  terminated: 'Terminated',
  timed_out: 'Timed out',
  unknown: 'Ended',
};

function LastRun({ table: { run, lastRun, lastSuccess } }: { readonly table: SourceTable }) {
  if (run) {
    return (
      <span className="nowrap">
        Running, started <Time at={run.started} />
      </span>
    );
  }
  if (lastRun) {
    return (
      <span className="nowrap">
        {outcomeWords[lastRun.outcome]} <Time at={lastRun.ended ?? lastRun.started} />
      </span>
    );
  }
  if (lastSuccess === undefined) return 'None yet';
  return (
    <span className="nowrap">
      Synced <Time at={lastSuccess} />
    </span>
  );
}

function NextRun({ table: { schedule, buffered, nextRun } }: { readonly table: SourceTable }) {
  if (schedule === 'missing') return 'Never: no schedule';
  if (buffered) return 'At once';
  if (schedule === 'paused') return 'Paused';
  return nextRun === undefined ? '–' : <Time at={nextRun} />;
}
