import type { ApiRecord, Source } from './source.ts';

/** The id and name of a row that hand-written rows refer to, and fields that match the name. */
export type Referenced = ApiRecord & { readonly id: string; readonly name: string };

/**
 * A generated table whose first rows are those that rows written by hand refer to, so that the demo's tables can be
 * joined. The table keeps its size: if it is smaller, some references lead nowhere.
 */
export function withReferenced(source: Source, referenced: readonly Referenced[]): Source {
  const numbers = new Map(referenced.map(({ id }, index) => [id, index]));
  const known = (index: number) => (index < source.count ? referenced[index] : undefined);
  return {
    count: source.count,
    rising: source.rising,
    ...(source.facetPaths && { facetPaths: source.facetPaths }),
    created: (index) => source.created(index),
    updated: (index) => source.updated(index),
    facets: (index) => source.facets?.(index) ?? {},
    id: (index, created) => known(index)?.id ?? source.id(index, created),
    indexOf: (id) => numbers.get(id) ?? source.indexOf(id),
    record: (index, created) => ({ ...source.record(index, created), ...known(index) }),
    slim: (index) => known(index) ?? source.slim?.(index),
  };
}
