import { useEffect, useSyncExternalStore } from 'react';

let current: string | undefined;
const listeners = new Set<() => void>();

/** Shows for a few seconds that something was done; screen readers announce it without interrupting. */
export function say(sentence: string): void {
  change(sentence);
}

function change(sentence: string | undefined): void {
  current = sentence;
  for (const listener of listeners) listener();
}

function listen(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

const shownMs = 6_000;

export function Said() {
  const sentence = useSyncExternalStore(listen, () => current);
  useEffect(() => {
    if (sentence === undefined) return undefined;
    const timer = setTimeout(() => change(undefined), shownMs);
    return () => clearTimeout(timer);
  }, [sentence]);
  return (
    <div className="said" role="status">
      {sentence !== undefined && <p>{sentence}</p>}
    </div>
  );
}
