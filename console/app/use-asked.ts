import { useEffect, useState } from 'react';
import type { Answer, Body, EndpointName } from '../../src/console/contract.ts';
import type { Problem } from '../../src/console/contract/common.ts';
import { problemOf, send } from './api.ts';

/** Asks what something would do, when the page shows it and whenever the question changes. */
export function useAsked<Name extends EndpointName>(
  path: string,
  body: Body<Name>,
): { readonly value?: Answer<Name>; readonly problem?: Problem } {
  const [answer, setAnswer] = useState<{ value?: Answer<Name>; problem?: Problem }>({});
  const question = JSON.stringify(body);
  useEffect(() => {
    const stop = new AbortController();
    send<Name>(path, JSON.parse(question) as Body<Name>, stop.signal).then(
      (value) => setAnswer({ value }),
      (error: unknown) => {
        if (!stop.signal.aborted) setAnswer({ problem: problemOf(error) });
      },
    );
    return () => stop.abort();
  }, [path, question]);
  return answer;
}
