import { useState } from 'react';
import type { ActionOutcome, ActionPreview, ActionRequest } from '../../src/console/contract/sources.ts';
import { send } from '../app/api.ts';
import { say } from '../app/said.tsx';
import { useAsked } from '../app/use-asked.ts';
import { useDoing } from '../app/use-doing.ts';
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
  const preview = useAsked<'previewAction'>(`${path}/preview`, request);
  const { busy, problem, doing } = useDoing();
  const [failed, setFailed] = useState<ActionOutcome['outcomes']>([]);
  const [note, setNote] = useState('');
  const { action, tables } = request;
  const { verb, title, done: doneWords } = actionWords[action];
  const act = async () => {
    const { outcomes } = await send<'act'>(path, { ...request, ...(note && { note }) });
    const problems = outcomes.filter(({ error }) => error !== undefined);
    setFailed(problems);
    if (problems.length < outcomes.length || outcomes.length === 0) done?.();
    if (problems.length > 0) return;
    say(outcomes.length === 1 ? `${doneWords}: ${outcomes[0]!.table}.` : `${doneWords}.`);
    close();
  };
  return (
    <Dialog title={tables?.length === 1 ? `${title}: ${tables[0]}` : title} close={close}>
      {preview.value && <Preview preview={preview.value} />}
      {!preview.value && !preview.problem && <Loading what="what it will do" />}
      {preview.problem && <ProblemNotice problem={preview.problem} />}
      {action === 'pause' && <Note note={note} setNote={setNote} />}
      {problem && <ProblemNotice problem={problem} />}
      <Failures failed={failed} />
      <div className="actions">
        <button type="button" className="button" onClick={close}>
          {failed.length > 0 ? 'Close' : 'Back'}
        </button>
        <button
          type="button"
          className={`button ${dangerous.has(action) ? 'danger' : 'primary'}`}
          disabled={busy || !preview.value || failed.length > 0}
          onClick={() => doing(act)}
        >
          {busy ? 'Working …' : verb}
        </button>
      </div>
    </Dialog>
  );
}

function Note({ note, setNote }: { readonly note: string; readonly setNote: (note: string) => void }) {
  return (
    <Field label="Why (optional)" hint="Shown to everyone who looks at the status.">
      {(attributes) => (
        <input
          {...attributes}
          maxLength={1_000}
          value={note}
          onChange={(event) => setNote(event.target.value)}
        />
      )}
    </Field>
  );
}

/** The tables for which the action failed. */
function Failures({ failed }: { readonly failed: ActionOutcome['outcomes'] }) {
  return failed.map(({ table, message, advice }) => (
    <Notice key={table} kind="bad" urgent title={`${table}: ${message}`}>
      {advice !== undefined && <p>{advice}</p>}
    </Notice>
  ));
}

/** If there are more names than this, they are in a list that opens on demand. */
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
