import type { SourceTable } from '../../src/console/contract/sources.ts';
import { counted } from '../format/numbers.ts';
import { Notice } from '../parts/notice.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { ExactTime, Lag } from '../parts/time.tsx';

/** How a table is doing, and what to do if something is wrong. */
export function TableFacts({ table }: { readonly table: SourceTable }) {
  const { description, state, message, advice, note, run, rows, completeTo } = table;
  const times = [
    ['Last success', table.lastSuccess],
    ['Next run', table.nextRun],
    ['Complete up to', completeTo],
    ['Last full read', table.lastFullRead],
    ['Late since', table.lateSince],
  ] as const;
  return (
    <>
      <p>
        <StateBadge state={state} running={run !== undefined} /> {description}
      </p>
      {message !== undefined && (
        <Notice kind={state === 'failing' || state === 'unreadable' ? 'bad' : 'warn'} title={message}>
          {advice !== undefined && <p>{advice}</p>}
        </Notice>
      )}
      {note !== undefined && note !== message && <Notice kind="info" title={`Paused: ${note}`} />}
      <dl className="facts">
        <dt>Rows</dt>
        <dd>{rows === undefined ? 'none yet' : counted(rows)}</dd>
        {completeTo !== undefined && (
          <>
            <dt>Lag</dt>
            <dd>
              <Lag since={completeTo} />
            </dd>
          </>
        )}
        {times.map(
          ([name, at]) =>
            at !== undefined && (
              <div key={name} className="fact">
                <dt>{name}</dt>
                <dd>
                  <ExactTime at={at} />
                </dd>
              </div>
            ),
        )}
      </dl>
    </>
  );
}
