import { useState } from 'react';
import type { Linked, LinkPlan, LinkRequest } from '../../src/console/contract/link.ts';
import { send } from '../app/api.ts';
import { useDoing } from '../app/use-doing.ts';
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

/** Shows what linking does, with the button that does it. */
export function LinkReview({ draft, plan, request, back, linked }: Props) {
  const { busy, problem, doing } = useDoing();
  const [remarks, setRemarks] = useState<Linked>();
  const link = async () => {
    const done = await send<'link'>(`/api/link/${draft}`, { ...request, import: true });
    if (done.failures.length === 0 && done.needsWorker === undefined) linked(done.id);
    else setRemarks(done);
  };
  if (remarks) return <LinkedWithRemarks linked={remarks} />;
  const { neighbours, notes } = plan;
  return (
    <section className="panel" aria-label="What will be done">
      <h2>What Import does</h2>
      <Steps plan={plan} destination={request.destination} />
      <Neighbours neighbours={neighbours} />
      <TableProblems problems={notes} kind="warn" />
      {problem && <ProblemNotice problem={problem} />}
      <div className="actions">
        <button type="button" className="button" onClick={back}>
          Back
        </button>
        <button type="button" className="button primary" disabled={busy} onClick={() => doing(link)}>
          {busy ? 'Linking …' : 'Import'}
        </button>
      </div>
    </section>
  );
}

function Steps({ plan, destination }: { readonly plan: LinkPlan; readonly destination: string }) {
  const { file, text, apiKey, writesKey, changes } = plan;
  const created = changes.filter(({ change }) => change === 'create').length;
  return (
    <>
      <ul>
        <li>
          {writesKey ? 'Keeps the key in ' : 'Takes the key from '}
          {'env' in apiKey ? (
            <>
              the variable <code>{apiKey.env}</code>
            </>
          ) : (
            <code className="path">{apiKey.file}</code>
          )}
          {writesKey ? ', readable only by you.' : ', where it is.'}
        </li>
        <li>
          Writes the settings to <code className="path">{file}</code>. The key is not in them.
        </li>
        <li>
          Creates {countOf(created, 'schedule')} on the Temporal server, one per table, and starts the first
          import into <code className="path">{destination}</code>.
        </li>
      </ul>
      <details>
        <summary>The settings file</summary>
        <pre tabIndex={0} aria-label="The settings file">
          {text}
        </pre>
      </details>
    </>
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
