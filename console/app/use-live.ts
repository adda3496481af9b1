import { useEffect, useState, useSyncExternalStore } from 'react';
import type { Answer } from '../../src/console/contract.ts';
import type { Problem } from '../../src/console/contract/common.ts';
import { problemOf, read, unreachable, urlOf } from './api.ts';

type LiveName = 'sourcesLive' | 'sourceLive';

export type Live<T> = {
  readonly value?: T;
  readonly problem?: Problem;
  /** The stream is interrupted: the browser is reconnecting, and the page may show old state. */
  readonly broken: boolean;
};

/**
 * Follows a stream of the server: the state at once, then each change.
 * @param path path of the stream
 * @param plain path of the same state without a stream, since the browser does not say why a stream was refused
 */
export function useLive<Name extends LiveName>(path: string, plain: string): Live<Answer<Name>> {
  const [state, setState] = useState<Live<Answer<Name>> & { path?: string }>({ broken: false });
  const isVisible = useVisible();
  useEffect(() => {
    // A browser opens at most six connections per server, and each stream holds one: the seventh tab would hang.
    if (!isVisible) return undefined;
    const stop = new AbortController();
    const stream = new EventSource(urlOf(path));
    stream.addEventListener('state', ({ data }: MessageEvent<string>) => {
      setState({ path, value: JSON.parse(data) as Answer<Name>, broken: false });
    });
    stream.addEventListener('problem', ({ data }: MessageEvent<string>) => {
      const problem = JSON.parse(data) as Problem;
      setState((before) => ({ ...before, path, problem }));
    });
    stream.addEventListener('error', () => {
      setState((before) => (before.path === path ? { ...before, broken: true } : { path, broken: true }));
      if (stream.readyState !== EventSource.CLOSED) return;
      read(plain, stop.signal).then(
        () => setState((before) => ({ ...before, problem: unreachable })),
        (error: unknown) => {
          if (!stop.signal.aborted) setState((before) => ({ ...before, problem: problemOf(error) }));
        },
      );
    });
    return () => {
      stop.abort();
      stream.close();
    };
  }, [path, plain, isVisible]);
  return state.path === path ? state : { broken: false };
}

function useVisible(): boolean {
  return useSyncExternalStore(onVisibility, () => !document.hidden);
}

function onVisibility(changed: () => void): () => void {
  document.addEventListener('visibilitychange', changed);
  return () => document.removeEventListener('visibilitychange', changed);
}
