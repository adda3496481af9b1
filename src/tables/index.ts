import { UsageError } from '../errors.ts';
import { withSuggestion } from '../nearest.ts';
import * as declared from './declared.ts';
import type { Table } from './table.ts';

/** All tables, ordered by name. */
export const tables: readonly Table[] = Object.values(declared).toSorted((a, b) =>
  a.name < b.name ? -1 : 1,
);

/** The table with this name. Throws `UsageError`, with the nearest name, if there is none. */
export function tableNamed(name: string): Table {
  const table = tables.find((table) => table.name === name);
  if (table !== undefined) return table;
  const names = tables.map((table) => table.name);
  throw new UsageError(
    `There is no table ${JSON.stringify(name)}.`,
    withSuggestion(name, names, `The tables are ${names.join(', ')}.`),
  );
}

/** The tables with these names, each once; all tables if none are named. Throws as `tableNamed` does. */
export function tablesNamed(names: readonly string[]): readonly Table[] {
  return names.length === 0 ? tables : [...new Set(names)].map(tableNamed);
}
