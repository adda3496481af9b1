import { type FormEvent, useState } from 'react';
import type { Problem } from '../../src/console/contract/common.ts';
import type { About } from '../../src/console/contract/data.ts';
import type { CheckedKey, KeyRequest } from '../../src/console/contract/link.ts';
import { problemOf, send } from '../app/api.ts';
import { Field } from '../parts/field.tsx';
import { Notice, ProblemNotice } from '../parts/notice.tsx';
import { type Groups, tablesOf } from './choose.ts';
import { KeyFacts } from './key-facts.tsx';

type Props = {
  readonly sandbox: About['sandbox'];
  readonly groups: Groups;
  readonly checked: CheckedKey | undefined;
  readonly setChecked: (checked: CheckedKey) => void;
  readonly next: () => void;
};

/** The API key, checked as soon as it is given. */
export function KeyStep({ sandbox, groups, checked, setChecked, next }: Props) {
  const [key, setKey] = useState(sandbox?.key ?? '');
  const [baseUrl, setBaseUrl] = useState(sandbox?.baseUrl ?? '');
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const check = async (asking: () => Promise<CheckedKey>) => {
    setBusy(true);
    setProblem(undefined);
    try {
      setChecked(await asking());
      // The server has it now; this page need not.
      setKey('');
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body: KeyRequest = { key, ...(baseUrl && { baseUrl }) };
    void check(() => send<'checkKey'>('/api/link', body));
  };
  return (
    <>
      {sandbox && !checked && (
        <Notice kind="info" title="This is a demo with an invented account.">
          <p>The key of its sandbox is filled in, and so is its address.</p>
        </Notice>
      )}
      <form className="panel" onSubmit={submit}>
        <Field
          label="API key"
          hint={
            <>
              Create one in incident.io under <strong>Settings → API keys</strong>. Tick the view permission
              of each resource that you want to sync.
            </>
          }
        >
          {(attributes) => (
            <input
              {...attributes}
              type="password"
              autoComplete="off"
              spellCheck={false}
              value={key}
              onChange={(event) => setKey(event.target.value)}
            />
          )}
        </Field>
        <details>
          <summary>Scopes that the key needs</summary>
          <Scopes groups={groups} />
        </details>
        <details open={sandbox !== undefined}>
          <summary>Another address of the API</summary>
          <Field
            label="Address"
            hint="Only for a sandbox or a proxy. The default is https://api.incident.io."
          >
            {(attributes) => (
              <input
                {...attributes}
                type="url"
                placeholder="https://api.incident.io"
                value={baseUrl}
                onChange={(event) => setBaseUrl(event.target.value)}
              />
            )}
          </Field>
        </details>
        {problem && <ProblemNotice problem={problem} />}
        <button type="submit" className={`button ${checked ? '' : 'primary'}`} disabled={busy || key === ''}>
          {busy ? 'Checking …' : checked ? 'Check this key instead' : 'Check the key'}
        </button>
      </form>
      {checked && (
        <KeyFacts
          checked={checked}
          busy={busy}
          again={() => void check(() => send<'checkAgain'>(`/api/link/${checked.draft}/check`, undefined))}
          next={next}
        />
      )}
    </>
  );
}

function Scopes({ groups }: { readonly groups: Groups }) {
  const suggested = tablesOf(groups).filter(({ selectedBy }) => selectedBy === 'default');
  const scopes = [...new Set(suggested.flatMap(({ scope }) => scope ?? []))].sort();
  return (
    <>
      <p className="muted">
        For the tables that are suggested. Others name their scope when you choose them.
      </p>
      <ul className="scopes">
        {scopes.map((scope) => (
          <li key={scope}>
            <code>{scope}</code>
          </li>
        ))}
      </ul>
      <p className="muted">
        Private incidents are synced only with “View all incident data, including private incidents”.
      </p>
    </>
  );
}
