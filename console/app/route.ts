import { useSyncExternalStore } from 'react';

/** The pages of a source. */
export const sourceViews = ['tables', 'runs', 'data', 'pictures', 'health'] as const;
export type SourceView = (typeof sourceViews)[number];

/** Which page is shown. It is kept in the fragment of the address, so that a reload or a link shows the same page. */
export type Route =
  | { readonly page: 'sources' }
  | { readonly page: 'new' }
  | { readonly page: 'link' }
  | { readonly page: 'source'; readonly id: string; readonly view: SourceView; readonly rest: string }
  | { readonly page: 'unknown' };

export function routeOf(fragment: string): Route {
  const [first = '', second, view = 'tables', ...rest] = fragment
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decoded);
  if (first === '') return { page: 'sources' };
  if (first === 'new') return { page: second === 'incident-io' ? 'link' : 'new' };
  if (first !== 'sources' || second === undefined) return { page: 'unknown' };
  const known = sourceViews.find((one) => one === view);
  return known ? { page: 'source', id: second, view: known, rest: rest.join('/') } : { page: 'unknown' };
}

/** An address that was typed by hand may be malformed. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part;
    throw error;
  }
}

export function sourceHref(id: string, view: SourceView = 'tables', rest?: string): string {
  const more = rest === undefined ? '' : `/${encodeURIComponent(rest)}`;
  return `#/sources/${encodeURIComponent(id)}${view === 'tables' && !more ? '' : `/${view}`}${more}`;
}

export function goTo(href: string): void {
  location.hash = href;
}

export function useRoute(): Route {
  return routeOf(useSyncExternalStore(onFragment, () => location.hash));
}

function onFragment(changed: () => void): () => void {
  addEventListener('hashchange', changed);
  return () => removeEventListener('hashchange', changed);
}
