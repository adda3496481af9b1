import type { z } from 'zod';
import type { neighbour, tableProblem } from '../../src/console/contract/common.ts';
import { countOf } from '../format/numbers.ts';
import { Notice } from './notice.tsx';

/** The problems of several tables. */
export function TableProblems({
  problems,
  kind,
}: {
  readonly problems: readonly z.infer<typeof tableProblem>[];
  readonly kind: 'bad' | 'warn';
}) {
  if (problems.length === 0) return null;
  return (
    <Notice kind={kind} title={`${countOf(problems.length, 'table')} with a problem`}>
      <ul>
        {problems.map(({ table, message, advice }) => (
          <li key={table}>
            <strong>{table}</strong>: {message} {advice}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** Other connections that sync into the same destination. */
export function Neighbours({ neighbours }: { readonly neighbours: readonly z.infer<typeof neighbour>[] }) {
  if (neighbours.length === 0) return null;
  return (
    <Notice kind="warn" title="Another source syncs into this destination.">
      <ul>
        {neighbours.map(({ connection, shared }) => (
          <li key={connection}>
            {connection}
            {shared.length > 0 && `: both sync ${shared.join(', ')}, so their runs overtake each other`}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
