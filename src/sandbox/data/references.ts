import type { Table } from '../../tables/table.ts';

/** A name in the plural, as tables are named: `policy` → `policies`. */
function pluralOf(name: string): string {
  return /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`;
}

/** The reverse: `policies` → `policy`, `statuses` → `status`. Names that are not plurals stay as they are. */
export function singularOf(name: string): string {
  if (name.endsWith('ies')) return `${name.slice(0, -3)}y`;
  return /(s|x|ch)es$/.test(name) ? name.slice(0, -2) : name.replace(/(?<![su])s$/, '');
}

/** The table named after the last words of a singular name: `users` for `lead_user`. */
export function tableNamedAfter(name: string, tables: readonly Table[]): string | undefined {
  const words = name.split('_');
  const candidates = words.map((_, first) => pluralOf(words.slice(first).join('_')));
  return candidates.find((candidate) => tables.some((table) => table.name === candidate));
}

/**
 * The table whose ids a column holds: the one that its description says it joins, or the one that it is named after.
 * `undefined` if it holds no ids, or if there is no such table.
 */
export function referencedTable(column: string, table: Table, tables: readonly Table[]): string | undefined {
  const [, joined] = /\bJoins ([a-z_]+)\./.exec(table.columns[column]?.description ?? '') ?? [];
  if (tables.some(({ name }) => name === joined)) return joined;
  const [, name] = /^([a-z_]+)_ids?$/.exec(column) ?? [];
  return name === undefined ? undefined : tableNamedAfter(name, tables);
}
