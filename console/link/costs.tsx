import { useEffect, useState } from 'react';
import type { EstimateAnswer } from '../../src/console/contract/link.ts';
import { problemOf, send } from '../app/api.ts';
import { countOf } from '../format/numbers.ts';
import { span } from '../format/times.ts';
import type { Chosen } from './choose.ts';

/** Ticking several boxes in a row causes one request. */
const settleMs = 250;

/** What the chosen tables cost together. */
export function Costs({ draft, chosen }: { readonly draft: string; readonly chosen: Chosen }) {
  const [costs, setCosts] = useState<EstimateAnswer | string>();
  const names = Object.keys(chosen).sort().join(',');
  useEffect(() => {
    const stop = new AbortController();
    const ask = async () => {
      try {
        const tables = names === '' ? [] : names.split(',');
        setCosts(await send<'estimate'>(`/api/link/${draft}/estimate`, { tables }, stop.signal));
      } catch (error) {
        if (!stop.signal.aborted) setCosts(problemOf(error).message);
      }
    };
    const timer = setTimeout(() => void ask(), settleMs);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [draft, names]);
  if (costs === undefined || names === '') return null;
  if (typeof costs === 'string') return <span>{costs}</span>;
  const { fullRead, quietDay, atLeast, seconds } = costs;
  const about = atLeast ? 'at least' : 'about';
  return (
    <>
      <span>
        First sync: {about} {countOf(fullRead, 'request')}, {span(seconds)}
      </span>
      <span className="muted">
        Then {about} {countOf(quietDay, 'request')} on a quiet day
      </span>
    </>
  );
}
