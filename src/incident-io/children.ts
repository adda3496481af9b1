import type { ChildTable } from '../tables/parents.ts';
import type { Param } from './client.ts';
import type { Slice } from './pages.ts';

/**
 * The list of one parent's rows.
 * @param values of the parent's row, by column
 * @param params that all lists have
 */
export function childSlice(
  { path, parent }: ChildTable,
  values: { readonly [column: string]: string | null },
  params: readonly Param[] = [],
): Slice {
  const all = [...params];
  let filled: string = path;
  for (const { name, in: place, column } of parent.params) {
    const value = values[column] ?? '';
    if (place === 'query') all.push([name, value]);
    else filled = filled.replace(`{${name}}`, encodeURIComponent(value));
  }
  const given = Object.entries(parent.columns).map(
    ([own, column]) => [own, values[column] ?? undefined] as const,
  );
  return { params: all, parent: { path: filled, given: Object.fromEntries(given) } };
}
