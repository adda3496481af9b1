import type { ReactNode } from 'react';
import type { Problem } from '../../src/console/contract/common.ts';

type Kind = 'bad' | 'warn' | 'good' | 'info';

/** Something that people should read. Screen readers only announce it at once if something has just gone wrong. */
export function Notice({
  kind,
  title,
  urgent = false,
  children,
}: {
  readonly kind: Kind;
  readonly urgent?: boolean;
  readonly title?: ReactNode;
  readonly children?: ReactNode;
}) {
  return (
    <div className={`notice ${kind}`} role={urgent ? 'alert' : undefined}>
      {title !== undefined && <p className="notice-title">{title}</p>}
      {children}
    </div>
  );
}

/** What is wrong and what to do, in the server's words. */
export function ProblemNotice({
  problem,
  again,
}: {
  readonly problem: Problem;
  readonly again?: () => void;
}) {
  return (
    <Notice kind="bad" urgent title={problem.message}>
      {problem.advice !== undefined && <p>{problem.advice}</p>}
      {again && (
        <button type="button" className="button" onClick={again}>
          Try again
        </button>
      )}
    </Notice>
  );
}
