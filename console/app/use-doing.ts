import { useCallback, useState } from 'react';
import type { Problem } from '../../src/console/contract/common.ts';
import { problemOf } from './api.ts';

/** The action behind a button: whether it is in progress, and what went wrong. */
export function useDoing(): {
  readonly busy: boolean;
  readonly problem: Problem | undefined;
  readonly doing: (what: () => Promise<void>) => void;
} {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const doing = useCallback((what: () => Promise<void>) => {
    setBusy(true);
    setProblem(undefined);
    what()
      .catch((error: unknown) => setProblem(problemOf(error)))
      .finally(() => setBusy(false));
  }, []);
  return { busy, problem, doing };
}
