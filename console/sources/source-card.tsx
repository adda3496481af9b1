import type { Source } from '../../src/console/contract/sources.ts';
import { sourceHref } from '../app/route.ts';
import { countOf } from '../format/numbers.ts';
import { StateBadge, stateWords } from '../parts/state-badge.tsx';

/** A connection at a glance: its state, what is wrong and what to do. */
export function SourceCard({ source }: { readonly source: Source }) {
  const { id, connection, destination, state, worst, message, advice, counts, settings } = source;
  const name = connection ?? id;
  const isRunning = source.running > 0;
  return (
    <li className="source-card">
      <div className="source-card-head">
        <h2>{connection === undefined ? name : <a href={sourceHref(id)}>{name}</a>}</h2>
        <StateBadge state={state} running={isRunning} />
        {isRunning && state !== 'first_sync' && <span className="badge info">Importing</span>}
      </div>
      {message !== undefined && (
        <p>
          {worst !== undefined && <strong>{worst}: </strong>}
          {message}
        </p>
      )}
      {advice !== undefined && <p className="advice">{advice}</p>}
      <p className="muted source-card-facts">
        <span>{countsInWords(counts)}</span>
        <span className="path">{destination ?? settings}</span>
      </p>
    </li>
  );
}

function countsInWords(counts: Source['counts']): string {
  const entries = Object.entries(counts) as [Source['state'], number][];
  const all = entries.reduce((sum, [, count]) => sum + count, 0);
  const states = entries.filter(([, count]) => count > 0);
  if (states.length === 0) return 'incident.io';
  if (states.length === 1) return `${countOf(all, 'table')}, ${stateWords[states[0]![0]].toLowerCase()}`;
  const each = states.map(([state, count]) => `${count} ${stateWords[state].toLowerCase()}`);
  return `${countOf(all, 'table')}: ${each.join(', ')}`;
}
