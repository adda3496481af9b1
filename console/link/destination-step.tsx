import { type FormEvent, useState } from 'react';
import type {
  CheckedKey,
  DestinationAnswer,
  LinkPlan,
  LinkRequest,
} from '../../src/console/contract/link.ts';
import { send } from '../app/api.ts';
import { useDoing } from '../app/use-doing.ts';
import { countOf } from '../format/numbers.ts';
import { Field } from '../parts/field.tsx';
import { Notice, ProblemNotice } from '../parts/notice.tsx';
import type { Chosen } from './choose.ts';
import { LinkReview } from './link-review.tsx';

type Props = {
  readonly checked: CheckedKey;
  readonly chosen: Chosen;
  readonly back: () => void;
  readonly linked: (id: string) => void;
};

/** Asks where the tables go and what the connection is called, then shows what linking would do. */
export function DestinationStep({ checked, chosen, back, linked }: Props) {
  const { draft, defaults } = checked;
  const [connection, setConnection] = useState(defaults.connection);
  const [destination, setDestination] = useState(defaults.destination);
  const [found, setFound] = useState<DestinationAnswer>();
  const [plan, setPlan] = useState<{ readonly plan: LinkPlan; readonly request: LinkRequest }>();
  const { busy, problem, doing } = useDoing();
  const changed = <T,>(set: (value: T) => void) => {
    return (value: T) => {
      // The plan no longer matches what is entered now.
      setPlan(undefined);
      set(value);
    };
  };
  const review = async () => {
    const there = await send<'checkDestination'>(`/api/link/${draft}/destination`, { destination });
    setFound(there);
    const request: LinkRequest = { connection, destination: there.destination, tables: chosen };
    setPlan({ request, plan: await send<'planLink'>(`/api/link/${draft}/plan`, request) });
  };
  return (
    <>
      <form
        className="panel"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          doing(review);
        }}
      >
        <TextField
          label="Destination"
          hint="A folder on this machine, or a bucket: s3://bucket/prefix, gs://bucket/prefix or abfss://container@account.dfs.core.windows.net/prefix."
          value={destination}
          change={changed(setDestination)}
        />
        <TextField
          label="Name of the source"
          hint="Lower-case letters, digits, _ and -."
          value={connection}
          change={changed(setConnection)}
        />
        {problem && <ProblemNotice problem={problem} />}
        {!plan && (
          <div className="actions">
            <button type="button" className="button" onClick={back}>
              Back
            </button>
            <button type="submit" className="button primary" disabled={busy || !connection || !destination}>
              {busy ? 'Checking …' : 'Next'}
            </button>
          </div>
        )}
      </form>
      {plan && found && <AlreadyThere tables={found.tables} />}
      {plan && <LinkReview draft={draft} {...plan} back={back} linked={linked} />}
    </>
  );
}

function TextField({
  label,
  hint,
  value,
  change,
}: {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly change: (value: string) => void;
}) {
  return (
    <Field label={label} hint={hint}>
      {(attributes) => (
        <input
          {...attributes}
          spellCheck={false}
          value={value}
          onChange={(event) => change(event.target.value)}
        />
      )}
    </Field>
  );
}

function AlreadyThere({ tables }: { readonly tables: readonly string[] }) {
  if (tables.length === 0) return null;
  return (
    <Notice kind="warn" title={`${countOf(tables.length, 'table')} already there`}>
      <p>
        {tables.join(', ')}. If {tables.length === 1 ? 'it belongs' : 'they belong'} to the same account, the
        import continues from there. Tables of another account are refused.
      </p>
    </Notice>
  );
}
