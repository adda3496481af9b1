import type { ChangeRequest, PlannedChange } from '../../src/console/contract/sources.ts';
import { send } from '../app/api.ts';
import { say } from '../app/said.tsx';
import { useAsked } from '../app/use-asked.ts';
import { useDoing } from '../app/use-doing.ts';
import { Loading } from '../parts/loading.tsx';
import { ProblemNotice } from '../parts/notice.tsx';
import { Neighbours, TableProblems } from '../parts/table-problems.tsx';
import { Difference } from './difference.tsx';

type Props = {
  readonly id: string;
  readonly change: ChangeRequest;
  readonly back: () => void;
  readonly done: () => void;
};

/** Shows how a change affects the settings file and the schedules, with the button that makes it. */
export function ChangeReview({ id, change, back, done }: Props) {
  const path = `/api/sources/${encodeURIComponent(id)}`;
  const { value: plan, problem: unplanned } = useAsked<'planChange'>(`${path}/plan`, change);
  const { busy, problem, doing } = useDoing();
  const apply = async (seen: string) => {
    const { unanswered } = await send<'change'>(`${path}/apply`, { ...change, seen });
    const rest = unanswered.length > 0 ? ' Cancelled runs without a worker end once one responds.' : '';
    say(`The settings are changed.${rest}`);
    done();
  };
  return (
    <>
      {plan ? <Planned plan={plan} /> : !unplanned && <Loading what="the difference" />}
      {unplanned && <ProblemNotice problem={unplanned} />}
      {problem && <ProblemNotice problem={problem} />}
      <div className="actions">
        <button type="button" className="button" onClick={back}>
          Back
        </button>
        <button
          type="button"
          className="button primary"
          disabled={busy || !plan}
          onClick={() => plan && doing(() => apply(plan.seen))}
        >
          {busy ? 'Applying …' : 'Apply'}
        </button>
      </div>
    </>
  );
}

function Planned({ plan: { file, lines, changes, neighbours, notes } }: { readonly plan: PlannedChange }) {
  const words = changes.filter(({ change }) => change !== 'none');
  return (
    <>
      <p>
        In <code className="path">{file}</code>:
      </p>
      <Difference lines={lines} />
      {words.length > 0 && (
        <>
          <p>On the Temporal server:</p>
          <ul>
            {words.map(({ table, what }) => (
              <li key={table}>
                <strong>{table}</strong>: {what}
              </li>
            ))}
          </ul>
        </>
      )}
      <Neighbours neighbours={neighbours} />
      <TableProblems problems={notes} kind="warn" />
    </>
  );
}
