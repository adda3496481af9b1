import { useState } from 'react';
import type { Problem } from '../../src/console/contract/common.ts';
import type { Linked, LinkPlan, LinkRequest } from '../../src/console/contract/link.ts';
import { problemOf, send } from '../app/api.ts';
import { countOf } from '../format/numbers.ts';
import { sourceHref } from '../app/route.ts';
import { Neighbours, TableProblems } from '../parts/table-problems.tsx';
import { Notice, ProblemNotice } from '../parts/notice.tsx';

type Props = {
  readonly draft: string;
  readonly plan: LinkPlan;
  readonly request: LinkRequest;
  readonly back: () => void;
  readonly linked: (id: string) => void;
};

/** What linking does, and the button that does it. */
export function LinkReview({ draft, plan, request, back, linked }: Props) {
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const [remarks, setRemarks] = useState<Linked>();
  const link = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const done = await send<'link'>(`/api/link/${draft}`, { ...request, import: true });
      if (done.failures.length === 0 && done.needsWorker === undefined) linked(done.id);
      else setRemarks(done);
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  if (remarks) return <LinkedWithRemarks linked={remarks} />;
  const { file, text, apiKey, writesKey, changes, neighbours, notes } = plan;
  const created = changes.filter(({ change }) => change === 'create').length;
  return (
    <section className="panel" aria-label="What will be done">
      <h2>What Import does</h2>
      <ul>
        {writesKey && 'file' in apiKey && (
          <li>
            Keeps the key in <code className="path">{apiKey.file}</code>, readable only by you.
          </li>
        )}
        {!writesKey && (
          <li>
            Takes the key from{' '}
            {'env' in apiKey ? (
              <>
                the variable <code>{apiKey.env}</code>
              </>
            ) : (
              <code className="path">{apiKey.file}</code>
            )}
            , where it is.
          </li>
        )}
        <li>
          Writes the settings to <code className="path">{file}</code>. The key is not in them.
        </li>
        <li>
          Creates {countOf(created, 'schedule')} on the Temporal server, one per table, and starts the first
          import into <code className="path">{request.destination}</code>.
        </li>
      </ul>
      <details>
        <summary>The settings file</summary>
        <pre tabIndex={0} aria-label="The settings file">
          {text}
        </pre>
      </details>
      <Neighbours neighbours={neighbours} />
      <TableProblems problems={notes} kind="warn" />
      {problem && <ProblemNotice problem={problem} />}
      <div className="actions">
        <button type="button" className="button" onClick={back}>
          Back
        </button>
        <button type="button" className="button primary" disabled={busy} onClick={() => void link()}>
          {busy ? 'Linking …' : 'Import'}
        </button>
      </div>
    </section>
  );
}

function LinkedWithRemarks({ linked: { id, failures, needsWorker } }: { readonly linked: Linked }) {
  return (
    <section className="panel">
      <Notice kind="good" title="Linked." />
      {needsWorker !== undefined && (
        <Notice kind="warn" title="No worker runs here, so the import waits for one.">
          <p>
            Start it in a terminal: <code>{needsWorker}</code>
          </p>
        </Notice>
      )}
      <TableProblems problems={failures} kind="bad" />
      <div className="actions">
        <a className="button primary" href={sourceHref(id)}>
          Go to the source
        </a>
      </div>
    </section>
  );
}
