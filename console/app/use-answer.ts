import { useCallback, useEffect, useState } from 'react';
import type { Answer, EndpointName } from '../../src/console/contract.ts';
import type { Problem } from '../../src/console/contract/common.ts';
import { problemOf, read } from './api.ts';

/** An answer that is loading, has arrived, or has failed. An older one stays while it is read again. */
export type Loaded<T> = {
  readonly value?: T;
  readonly problem?: Problem;
  readonly loading: boolean;
  readonly again: () => void;
};

/** Reads an endpoint when the page shows it, and again if the path changes. */
export function useAnswer<Name extends EndpointName>(path: string | undefined): Loaded<Answer<Name>> {
  const [state, setState] = useState<{ path?: string; value?: Answer<Name>; problem?: Problem }>({});
  const [turn, setTurn] = useState(0);
  const [done, setDone] = useState('');
  const asked = `${turn} ${path}`;
  useEffect(() => {
    if (path === undefined) return undefined;
    const stop = new AbortController();
    read<Name>(path, stop.signal)
      .then(
        (value) => setState({ path, value }),
        (error: unknown) => {
          if (stop.signal.aborted) return;
          // Keep showing the last answer from the same path, next to the problem.
          setState((before) => ({
            path,
            ...(before.path === path && before.value && { value: before.value }),
            problem: problemOf(error),
          }));
        },
      )
      .finally(() => {
        if (!stop.signal.aborted) setDone(asked);
      });
    return () => stop.abort();
  }, [path, asked]);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  const current = state.path === path ? state : {};
  return {
    ...(current.value !== undefined && { value: current.value }),
    ...(current.problem && { problem: current.problem }),
    loading: path !== undefined && done !== asked,
    again,
  };
}
