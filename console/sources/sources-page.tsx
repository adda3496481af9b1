import { useState } from 'react';
import type { Source } from '../../src/console/contract/sources.ts';
import { useLive } from '../app/use-live.ts';
import { countOf } from '../format/numbers.ts';
import { Broken } from '../parts/broken.tsx';
import { Empty, Loading } from '../parts/loading.tsx';
import { ProblemNotice } from '../parts/notice.tsx';
import { stateWords } from '../parts/state-badge.tsx';
import { SourceCard } from './source-card.tsx';

type State = Source['state'];

/** All connections, worst first. */
export function SourcesPage() {
  const { value, problem, broken } = useLive<'sourcesLive'>('/api/live', '/api/sources');
  return (
    <div className="page">
      <div className="page-head">
        <h1>Sources</h1>
        <a className="button primary" href="#/new">
          New source
        </a>
      </div>
      <Broken broken={broken} />
      {problem && <ProblemNotice problem={problem} />}
      {value ? <SourceList sources={value.sources} /> : !problem && <Loading what="sources" />}
    </div>
  );
}

/** With this many sources or more, there is a search box. */
const manySources = 6;

function SourceList({ sources }: { readonly sources: readonly Source[] }) {
  const [words, setWords] = useState('');
  const [only, setOnly] = useState<State>();
  if (sources.length === 0) return <NoSource />;
  const found = sources.filter(
    (source) => (only === undefined || source.state === only) && isFound(source, words),
  );
  return (
    <>
      {sources.length >= manySources && (
        <div className="filters">
          <input
            type="search"
            aria-label="Search sources"
            placeholder="Search"
            value={words}
            onChange={(event) => setWords(event.target.value)}
          />
          <StateFilter sources={sources} only={only} choose={setOnly} />
        </div>
      )}
      {found.length === 0 && <Empty title="No source matches." />}
      <ul className="sources">
        {found.map((source) => (
          <SourceCard key={source.settings} source={source} />
        ))}
      </ul>
    </>
  );
}

function isFound({ connection = '', id, destination = '', message = '' }: Source, words: string): boolean {
  const text = `${connection} ${id} ${destination} ${message}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** How many sources are in each state; a click shows only those. */
function StateFilter({
  sources,
  only,
  choose,
}: {
  readonly sources: readonly Source[];
  readonly only: State | undefined;
  readonly choose: (state: State | undefined) => void;
}) {
  const states = [...new Set(sources.map(({ state }) => state))];
  return (
    <div className="chips" role="group" aria-label="Show only">
      {states.map((state) => (
        <button
          key={state}
          type="button"
          className="chip"
          aria-pressed={only === state}
          onClick={() => choose(only === state ? undefined : state)}
        >
          {stateWords[state]} {sources.filter((source) => source.state === state).length}
        </button>
      ))}
      <span className="muted">{countOf(sources.length, 'source')}</span>
    </div>
  );
}

function NoSource() {
  return (
    <Empty title="No source is linked yet.">
      <p>Link your incident.io account to copy it into tables, and keep them current.</p>
      <p>
        <a className="button primary" href="#/new">
          New source
        </a>
      </p>
    </Empty>
  );
}
