import { useEffect, useRef } from 'react';
import type { About } from '../../src/console/contract/data.ts';
import { LinkPage } from '../link/link-page.tsx';
import { NewSourcePage } from '../link/new-source-page.tsx';
import { Empty } from '../parts/loading.tsx';
import { SourcePage } from '../source/source-page.tsx';
import { SourcesPage } from '../sources/sources-page.tsx';
import { type Route, useRoute } from './route.ts';
import { Said } from './said.tsx';
import { useAnswer } from './use-answer.ts';

/** The frame of all pages. */
export function App() {
  const route = useRoute();
  const { value: about } = useAnswer<'about'>('/api/about');
  const main = useRef<HTMLElement>(null);
  const place = route.page === 'source' ? `source ${route.id} ${route.view}` : route.page;
  const first = useRef(place);
  useEffect(() => {
    // Screen readers would otherwise stay at the link that led here.
    if (first.current !== place) main.current?.focus();
    first.current = place;
    document.title = titleOf(route);
  }, [place, route]);
  return (
    <>
      <header className="top">
        <a className="skip" href="#main" onClick={(event) => skipTo(event, main.current)}>
          Skip to the content
        </a>
        <a className="brand" href="#/">
          <img src="./icon.svg" alt="" width="24" height="24" />
          <span>incident.io source</span>
        </a>
        {about?.sandbox && <span className="badge info">Sandbox: invented data</span>}
        <nav className="top-nav" aria-label="Console">
          <a href="#/" aria-current={route.page === 'sources' ? 'page' : undefined}>
            Sources
          </a>
          {about?.temporalUi !== undefined && (
            <a href={about.temporalUi} target="_blank" rel="noreferrer">
              Temporal
            </a>
          )}
        </nav>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Page route={route} about={about} />
      </main>
      <Said />
    </>
  );
}

/** The title of the browser's tab. */
function titleOf(route: Route): string {
  const words = { sources: 'Sources', new: 'New source', link: 'Link incident.io', unknown: 'Not found' };
  const place = route.page === 'source' ? `${route.id}, ${route.view}` : words[route.page];
  return `${place} – incident.io source`;
}

/** The route is in the fragment of the address, so the browser must not follow the link itself. */
function skipTo(event: { preventDefault: () => void }, main: HTMLElement | null): void {
  event.preventDefault();
  main?.focus();
}

function Page({ route, about }: { readonly route: Route; readonly about: About | undefined }) {
  switch (route.page) {
    case 'sources':
      return <SourcesPage />;
    case 'new':
      return <NewSourcePage />;
    case 'link':
      return <LinkPage about={about} />;
    case 'source':
      return <SourcePage key={route.id} {...route} />;
    case 'unknown':
      return (
        <Empty title="This page does not exist.">
          <p>
            <a href="#/">Go to the sources</a>
          </p>
        </Empty>
      );
  }
}
