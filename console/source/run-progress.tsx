import { useId } from 'react';
import type { LiveRun } from '../../src/console/contract/sources.ts';
import { useNow } from '../app/use-now.ts';
import { bytes, counted, countOf } from '../format/numbers.ts';
import { clock, span } from '../format/times.ts';

/** A run in progress: what it is doing, how far it is, and what it waits for. */
export function RunProgress({ table, run }: { readonly table: string; readonly run: LiveRun }) {
  const name = useId();
  const { phase, rows, requests, bytes: size, windows, estimate, reason } = run;
  return (
    <li className="run-progress">
      <div className="run-progress-head">
        <strong id={name}>{table}</strong>
        <span className={`phase ${run.waitingUntil === undefined ? '' : 'waiting'}`}>{phase}</span>
        <Ends run={run} />
      </div>
      {estimate ? (
        <progress
          aria-labelledby={name}
          max={Math.max(estimate.of, estimate.done, 1)}
          value={estimate.done}
        />
      ) : (
        <progress aria-labelledby={name} />
      )}
      <p className="run-progress-figures muted">
        {estimate && (
          <span>
            {counted(estimate.done)} of about {countOf(estimate.of, estimate.by.slice(0, -1))}
          </span>
        )}
        {rows !== undefined && estimate?.by !== 'rows' && <span>{countOf(rows, 'row')}</span>}
        {requests !== undefined && <span>{countOf(requests, 'request')}</span>}
        {size !== undefined && size > 0 && <span>{bytes(size)}</span>}
        {windows && windows.open > 0 && windows.open + windows.done > 1 && (
          <span>
            {windows.open} of {countOf(windows.open + windows.done, 'window')} open
          </span>
        )}
        {reason !== undefined && <span>{reason}</span>}
      </p>
      <Hindrance run={run} />
    </li>
  );
}

function Ends({ run: { estimate } }: { readonly run: LiveRun }) {
  const now = useNow();
  if (estimate?.endsAt === undefined) return null;
  const seconds = Math.max(0, (Date.parse(estimate.endsAt) - now) / 1_000);
  return <span className="muted ends">about {span(seconds)} left</span>;
}

/** Why the run makes no progress. */
function Hindrance({ run }: { readonly run: LiveRun }) {
  const { waitingUntil, retrying, workerAnswers } = run;
  return (
    <>
      {waitingUntil !== undefined && (
        <p className="hindrance">
          Waiting for the API’s rate limit until {clock(waitingUntil)} UTC. This is not an error.
        </p>
      )}
      {retrying && (
        <p className="hindrance">
          Retrying, attempt {retrying.attempt}: {retrying.message}
        </p>
      )}
      {!workerAnswers && (
        <p className="hindrance">
          No worker responds. Start one: <code>incident-io-source worker</code>, or <code>up</code>.
        </p>
      )}
    </>
  );
}
