import { type KeyboardEvent, useState } from 'react';
import type { SqlAnswer } from '../../src/console/contract/data.ts';
import { download, send } from '../app/api.ts';
import { useDoing } from '../app/use-doing.ts';
import { Notice, ProblemNotice } from '../parts/notice.tsx';
import { counted, countOf } from '../format/numbers.ts';
import { span } from '../format/times.ts';
import { ResultTable } from './result-table.tsx';
import { ResultChart } from './result-chart.tsx';
import { type SqlDraft, useSqlDraft } from './sql-draft.ts';

/** One SELECT over the tables, its result, and a chart or CSV of it. */
export function SqlBox({ id, first }: { readonly id: string; readonly first: string }) {
  const path = `/api/sources/${encodeURIComponent(id)}/sql`;
  const [draft, setDraft] = useSqlDraft(id);
  const [answer, setAnswer] = useState<SqlAnswer>();
  const { busy, problem, doing } = useDoing();
  const run = () => doing(async () => setAnswer(await send<'sql'>(path, draft)));
  const isEmpty = draft.sql.trim() === '';
  return (
    <section aria-label="Query">
      <label htmlFor="sql" className="sql-label">
        SQL
      </label>
      <p id="sql-hint" className="muted">
        Write one SELECT in DuckDB’s SQL, with the names of the tables. It can only read. Ctrl+Enter runs it.
      </p>
      <textarea
        id="sql"
        aria-describedby="sql-hint"
        className="sql"
        spellCheck={false}
        rows={Math.min(20, Math.max(5, draft.sql.split('\n').length + 1))}
        placeholder={`SELECT *\nFROM ${first}\nLIMIT 100`}
        value={draft.sql}
        onChange={(event) => setDraft({ ...draft, sql: event.target.value })}
        onKeyDown={(event: KeyboardEvent) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !isEmpty && !busy) run();
        }}
      />
      <OlderVersions draft={draft} setDraft={setDraft} />
      <div className="actions start">
        <button type="button" className="button primary" disabled={busy || isEmpty} onClick={() => run()}>
          {busy ? 'Running …' : 'Run'}
        </button>
        <button
          type="button"
          className="button"
          disabled={busy || isEmpty}
          onClick={() => doing(() => download(`${path}.csv`, draft, 'result.csv'))}
        >
          Download CSV
        </button>
      </div>
      {problem && <ProblemNotice problem={problem} />}
      {answer && <Result answer={answer} />}
    </section>
  );
}

function Result({ answer }: { readonly answer: SqlAnswer }) {
  const { rows, more, limit, seconds } = answer;
  return (
    <>
      <p className="muted" role="status">
        {countOf(rows.length, 'row')}, {span(seconds)}
      </p>
      {more && (
        <Notice kind="info" title={`These are the first ${counted(limit)} rows.`}>
          <p>The CSV has all of them.</p>
        </Notice>
      )}
      <ResultChart result={answer} />
      <ResultTable label="Result" result={answer} />
    </>
  );
}

/** Tables that are read as of an older version, each with a button to undo that. */
function OlderVersions({
  draft,
  setDraft,
}: {
  readonly draft: SqlDraft;
  readonly setDraft: (draft: SqlDraft) => void;
}) {
  const { versions = {} } = draft;
  return Object.entries(versions).map(([table, version]) => (
    <p key={table} className="notice info as-of">
      <span>
        {table} is read as of version {version}.
      </span>
      <button
        type="button"
        className="button"
        onClick={() =>
          setDraft({
            ...draft,
            versions: Object.fromEntries(Object.entries(versions).filter(([name]) => name !== table)),
          })
        }
      >
        Read the newest version
      </button>
    </p>
  ));
}
