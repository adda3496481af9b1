import type { TableSettingsJson } from '../../src/console/contract/common.ts';
import type { CheckedKey, OfferedTable, OfferedTables } from '../../src/console/contract/link.ts';

export type Groups = OfferedTables['groups'];
/** How each chosen table is synced, by its name. */
export type Chosen = { readonly [table: string]: TableSettingsJson };

export function tablesOf(groups: Groups): OfferedTable[] {
  return groups.flatMap(({ tables }) => tables);
}

/** The tables that the server suggests, with their defaults. */
export function suggestedSettings(groups: Groups, { suggested }: CheckedKey): Chosen {
  return added({}, groups, suggested);
}

/** Adds tables, and their parents, whose rows they are read by. */
export function added(chosen: Chosen, groups: Groups, names: readonly string[]): Chosen {
  const all = new Map(tablesOf(groups).map((one) => [one.table, one]));
  const more: { [table: string]: TableSettingsJson } = { ...chosen };
  const add = (name: string) => {
    const table = all.get(name);
    if (!table || more[name]) return;
    more[name] = defaultsOf(table);
    if (table.parent !== undefined) add(table.parent);
  };
  for (const name of names) add(name);
  return more;
}

/** Removes tables, and the tables that are read by their rows. */
export function without(chosen: Chosen, groups: Groups, names: readonly string[]): Chosen {
  const gone = new Set(names);
  const tables = tablesOf(groups);
  const spread = () => {
    const children = tables.filter(({ parent, table }) => gone.has(parent ?? '') && !gone.has(table));
    for (const { table } of children) gone.add(table);
    if (children.length > 0) spread();
  };
  spread();
  return Object.fromEntries(Object.entries(chosen).filter(([table]) => !gone.has(table)));
}

export function defaultsOf({ defaults, syncMethods }: OfferedTable): TableSettingsJson {
  return defaults[syncMethods[0]!]!;
}

/** A new method comes with its own field and frequency of full reads; all other choices stay. */
export function withMethod(
  table: OfferedTable,
  before: TableSettingsJson,
  syncMethod: TableSettingsJson['syncMethod'],
): TableSettingsJson {
  const { columns, nested } = before;
  return {
    ...table.defaults[syncMethod]!,
    ...(columns && { columns }),
    ...(nested !== undefined && { nested }),
  };
}
