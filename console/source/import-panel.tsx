import type { LiveRun, SourceDetail, SourceTable } from '../../src/console/contract/sources.ts';
import { useNow } from '../app/use-now.ts';
import { countOf } from '../format/numbers.ts';
import { clock, span } from '../format/times.ts';
import { RunProgress } from './run-progress.tsx';

type Running = SourceTable & { readonly run: LiveRun };

/** The runs in progress, table by table, and when all of them will end. */
export function ImportPanel({ detail }: { readonly detail: SourceDetail }) {
  const running = detail.tables.filter((table): table is Running => table.run !== undefined);
  const first = detail.tables.filter(({ state }) => state === 'first_sync');
  if (running.length === 0) return null;
  const isFirst = first.length > 0;
  const done = detail.tables.length - first.length;
  return (
    <section className="panel import" aria-label="Running now">
      <div className="import-head">
        <h2>{isFirst ? 'Importing' : 'Syncing'}</h2>
        <Totals running={running} />
      </div>
      {isFirst && (
        <div className="import-all">
          <label htmlFor="import-all">
            {done} of {countOf(detail.tables.length, 'table')} imported
          </label>
          <progress id="import-all" max={detail.tables.length} value={done} />
        </div>
      )}
      {/* Screen readers announce only this, when it changes; announcing the figures would never stop. */}
      <p className="for-readers" role="status">
        {isFirst
          ? `${done} of ${countOf(detail.tables.length, 'table')} imported`
          : `${countOf(running.length, 'table')} syncing`}
      </p>
      <ul className="import-tables">
        {running.map(({ table, run }) => (
          <RunProgress key={table} table={table} run={run} />
        ))}
      </ul>
      {detail.estimateProblem && (
        <p className="muted">
          The end cannot be estimated: {detail.estimateProblem.message} {detail.estimateProblem.advice}
        </p>
      )}
    </section>
  );
}

/** Rows and requests so far, the time taken, and the expected end of the last table. */
function Totals({ running }: { readonly running: readonly Running[] }) {
  const now = useNow();
  const rows = running.reduce((sum, { run }) => sum + (run.rows ?? 0), 0);
  const requests = running.reduce((sum, { run }) => sum + (run.requests ?? 0), 0);
  const began = Math.min(...running.map(({ run }) => Date.parse(run.started)));
  const ends = running.flatMap(({ run }) => run.estimate?.endsAt ?? []).sort();
  const last = ends.at(-1);
  return (
    <p className="import-totals">
      <span>{countOf(rows, 'row')}</span>
      <span>{countOf(requests, 'request')}</span>
      <span>{span(Math.max(0, (now - began) / 1_000))}</span>
      {last !== undefined && (
        <span>
          ends about {clock(last)} UTC, in {span(Math.max(0, (Date.parse(last) - now) / 1_000))}
        </span>
      )}
    </p>
  );
}
