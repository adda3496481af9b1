import type { ReactNode } from 'react';
import type { Loaded } from '../app/use-answer.ts';
import { ProblemNotice } from './notice.tsx';

export function Loading({ what }: { readonly what: string }) {
  return (
    <p className="loading" role="status">
      Loading {what} …
    </p>
  );
}

/** Shows what was loaded, that it is loading, or what went wrong, with a way to try again. */
export function WhenLoaded<T>({
  loaded,
  what,
  children,
}: {
  readonly loaded: Loaded<T>;
  readonly what: string;
  readonly children: (value: T) => ReactNode;
}) {
  const { value, problem, again } = loaded;
  return (
    <>
      {problem && <ProblemNotice problem={problem} again={again} />}
      {value === undefined ? !problem && <Loading what={what} /> : children(value)}
    </>
  );
}

/** Shown if there is no content: why, and what to do. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}
