import * as declared from './declared.ts';
import type { NestedTable } from './nested.ts';

/** All nested tables, ordered by name. */
export const nestedTables: readonly NestedTable[] = Object.values(declared).toSorted((a, b) =>
  a.name < b.name ? -1 : 1,
);

/** The nested tables that come with a table, ordered by name. */
export function nestedIn(table: string): readonly NestedTable[] {
  return nestedTables.filter(({ itemsOf }) => itemsOf.table.name === table);
}
