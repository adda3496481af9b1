import { useEffect, useState } from 'react';
import type { Problem } from '../../src/console/contract/common.ts';
import type { ActionOutcome, ActionPreview, ActionRequest } from '../../src/console/contract/sources.ts';
import { problemOf, send } from '../app/api.ts';
import { say } from '../app/said.tsx';
import { countOf } from '../format/numbers.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Loading } from '../parts/loading.tsx';
import { Notice, ProblemNotice } from '../parts/notice.tsx';
import { actionWords, dangerous } from './action-words.ts';

type Props = {
  readonly id: string;
  readonly request: ActionRequest;
  readonly close: () => void;
  readonly done?: () => void;
};

/** Says what an action will do before it is done. */
export function ActionDialog({ id, request, close, done }: Props) {
  const path = `/api/sources/${encodeURIComponent(id)}/actions`;
  const [preview, setPreview] = useState<ActionPreview>();
  const [problem, setProblem] = useState<Problem>();
  const [failed, setFailed] = useState<ActionOutcome['outcomes']>([]);
  const [busy, setBusy] = useState(false);
  const [note, setNote] = useState('');
  const { action, tables } = request;
  const { verb, title, done: doneWords } = actionWords[action];
  usePreview(path, request, setPreview, setProblem);
  const act = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const { outcomes } = await send<'act'>(path, { ...request, ...(note && { note }) });
      const problems = outcomes.filter(({ error }) => error !== undefined);
      setFailed(problems);
      if (problems.length < outcomes.length || outcomes.length === 0) done?.();
      if (problems.length > 0) return;
      say(outcomes.length === 1 ? `${doneWords}: ${outcomes[0]!.table}.` : `${doneWords}.`);
      close();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={tables?.length === 1 ? `${title}: ${tables[0]}` : title} close={close}>
      {preview ? <Preview preview={preview} /> : !problem && <Loading what="what it will do" />}
      {action === 'pause' && (
        <Field label="Why (optional)" hint="Shown to everybody who looks at the status.">
          {(attributes) => (
            <input
              {...attributes}
              maxLength={1_000}
              value={note}
              onChange={(event) => setNote(event.target.value)}
            />
          )}
        </Field>
      )}
      {problem && <ProblemNotice problem={problem} />}
      {failed.map(({ table, message, advice }) => (
        <Notice key={table} kind="bad" title={`${table}: ${message}`}>
          {advice !== undefined && <p>{advice}</p>}
        </Notice>
      ))}
      <div className="actions">
        <button type="button" className="button" onClick={close}>
          {failed.length > 0 ? 'Close' : 'Back'}
        </button>
        <button
          type="button"
          className={`button ${dangerous.has(action) ? 'danger' : 'primary'}`}
          disabled={busy || !preview || failed.length > 0}
          onClick={() => void act()}
        >
          {busy ? 'Working …' : verb}
        </button>
      </div>
    </Dialog>
  );
}

/** Asks once: the dialog is about one request. */
function usePreview(
  path: string,
  request: ActionRequest,
  setPreview: (preview: ActionPreview) => void,
  setProblem: (problem: Problem) => void,
): void {
  const asked = JSON.stringify(request);
  useEffect(() => {
    const stop = new AbortController();
    send<'previewAction'>(`${path}/preview`, JSON.parse(asked) as ActionRequest, stop.signal).then(
      setPreview,
      (error: unknown) => {
        if (!stop.signal.aborted) setProblem(problemOf(error));
      },
    );
    return () => stop.abort();
  }, [path, asked, setPreview, setProblem]);
}

/** More names than these are in a list that opens. */
const fewTables = 4;

function Preview({ preview: { what, tables, files = [] } }: { readonly preview: ActionPreview }) {
  return (
    <>
      <p>{what}</p>
      {tables.length > 1 && (
        <details open={tables.length <= fewTables}>
          <summary>{countOf(tables.length, 'table')}</summary>
          <p>{tables.join(', ')}</p>
        </details>
      )}
      {files.length > 0 && (
        <>
          <p>These files are deleted:</p>
          <ul>
            {files.map((file) => (
              <li key={file}>
                <code className="path">{file}</code>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
