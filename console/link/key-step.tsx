import { type FormEvent, useState } from 'react';
import type { About } from '../../src/console/contract/data.ts';
import type { CheckedKey, KeyRequest } from '../../src/console/contract/link.ts';
import { send } from '../app/api.ts';
import { useDoing } from '../app/use-doing.ts';
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
  const { busy, problem, doing } = useDoing();
  const check = (asking: () => Promise<CheckedKey>) =>
    doing(async () => {
      setChecked(await asking());
      // The server has the key now, so the page does not need to keep it.
      setKey('');
    });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body: KeyRequest = { key, ...(baseUrl && { baseUrl }) };
    check(() => send<'checkKey'>('/api/link', body));
  };
  return (
    <>
      {sandbox && !checked && (
        <Notice kind="info" title="This is a demo with an invented account.">
          <p>The key of its sandbox is filled in, and so is its address.</p>
        </Notice>
      )}
      <form className="panel" onSubmit={submit}>
        <KeyField value={key} change={setKey} />
        <details>
          <summary>Scopes that the key needs</summary>
          <Scopes groups={groups} />
        </details>
        <details open={sandbox !== undefined}>
          <summary>Another address of the API</summary>
          <AddressField value={baseUrl} change={setBaseUrl} />
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
          again={() => check(() => send<'checkAgain'>(`/api/link/${checked.draft}/check`, undefined))}
          next={next}
        />
      )}
    </>
  );
}

type Entered = { readonly value: string; readonly change: (value: string) => void };

function KeyField({ value, change }: Entered) {
  return (
    <Field
      label="API key"
      hint={
        <>
          Create one in incident.io under <strong>Settings → API keys</strong>. Tick the view permission of
          each resource that you want to sync.
        </>
      }
    >
      {(attributes) => (
        <input
          {...attributes}
          type="password"
          autoComplete="off"
          spellCheck={false}
          value={value}
          onChange={(event) => change(event.target.value)}
        />
      )}
    </Field>
  );
}

function AddressField({ value, change }: Entered) {
  return (
    <Field label="Address" hint="Only for a sandbox or a proxy. The default is https://api.incident.io.">
      {(attributes) => (
        <input
          {...attributes}
          type="url"
          placeholder="https://api.incident.io"
          value={value}
          onChange={(event) => change(event.target.value)}
        />
      )}
    </Field>
  );
}

function Scopes({ groups }: { readonly groups: Groups }) {
  const suggested = tablesOf(groups).filter(({ selectedBy }) => selectedBy === 'default');
  const scopes = [...new Set(suggested.flatMap(({ scope }) => scope ?? []))].sort();
  return (
    <>
      <p className="muted">
        These are for the suggested tables. Other tables show their scope when you choose them.
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
