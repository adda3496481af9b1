import type { CheckedKey } from '../../src/console/contract/link.ts';
import { countOf } from '../format/numbers.ts';
import { Notice } from '../parts/notice.tsx';

/** Which account the key belongs to, and which scopes it lacks. */
export function KeyFacts({
  checked,
  busy,
  again,
  next,
}: {
  readonly checked: CheckedKey;
  readonly busy: boolean;
  readonly again: () => void;
  readonly next: () => void;
}) {
  const { account, name, tables, missingScopes, whereToTick } = checked;
  const readable = tables.filter(({ allowed }) => allowed).length;
  return (
    <section className="panel" aria-label="The key" aria-live="polite">
      <Notice kind="good" title="The key works.">
        <dl className="facts">
          <dt>Account</dt>
          <dd>{account}</dd>
          {name !== undefined && (
            <>
              <dt>Name of the key</dt>
              <dd>{name}</dd>
            </>
          )}
          <dt>Can read</dt>
          <dd>
            {readable} of {countOf(tables.length, 'table')}
          </dd>
        </dl>
      </Notice>
      {missingScopes.length > 0 && (
        <Notice kind="warn" title={`${countOf(missingScopes.length, 'scope')} missing`}>
          <p>
            Tick {missingScopes.length === 1 ? 'it' : 'them'} in incident.io under{' '}
            <strong>{whereToTick}</strong>, then check again. Or continue without{' '}
            {missingScopes.length === 1 ? 'its' : 'their'} tables.
          </p>
          <ul className="scopes">
            {missingScopes.map((missing) => (
              <li key={missing.scope}>
                <code>{missing.scope}</code> <span className="muted">for {missing.tables.join(', ')}</span>
              </li>
            ))}
          </ul>
          <button type="button" className="button" disabled={busy} onClick={again}>
            {busy ? 'Checking …' : 'Check again'}
          </button>
        </Notice>
      )}
      <div className="actions">
        <button type="button" className="button primary" disabled={readable === 0} onClick={next}>
          Next
        </button>
      </div>
    </section>
  );
}
