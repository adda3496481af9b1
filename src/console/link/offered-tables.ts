import { defined } from '../../defined.ts';
import { defaultTableSettings, frequencies, retentions } from '../../settings/settings.ts';
import { inGroups, tables } from '../../tables/index.ts';
import { nestedIn } from '../../tables/nested/index.ts';
import { incrementalFieldsOf, syncMethodsOf, type Table, type TableShape } from '../../tables/table.ts';
import type { OfferedTable, OfferedTables } from '../contract/link.ts';

/** The tables that can be synced, by group. */
export function offeredTables(): OfferedTables {
  return {
    groups: inGroups(tables).map(([group, chosen]) => ({ group, tables: chosen.map(offered) })),
    frequencies: [...frequencies],
    retentions: [...retentions],
  };
}

function offered(table: Table): OfferedTable {
  const { name, description, group, scope, selectedBy = 'default', parent } = table;
  const methods = syncMethodsOf(table);
  return {
    table: name,
    description,
    group,
    selectedBy,
    ...defined({ scope, parent: parent?.table }),
    syncMethods: [...methods],
    incrementalFields: [...incrementalFieldsOf(table)],
    defaults: Object.fromEntries(methods.map((method) => [method, defaultTableSettings(table, method)])),
    nested: nestedIn(name).map((nested) => nested.name),
    columns: declaredColumns(table),
  };
}

export function declaredColumns({ columns, primaryKey }: TableShape): OfferedTable['columns'] {
  return Object.entries(columns).map(([name, { type, description, personal = false }]) => ({
    name,
    type,
    description,
    personal,
    key: primaryKey.includes(name),
  }));
}
