import { UsageError } from '../errors.ts';
import { type ApiRecord, type Parent, type ParentCondition, type Table, valueAt } from './table.ts';

/** A table that is read parent by parent. */
export type ChildTable = Table & { readonly parent: Parent };

export function isChild(table: Table): table is ChildTable {
  return table.parent !== undefined;
}

/** The table as one that is read parent by parent; `undefined` if it has nothing but a list of its own. */
export function asChild(table: Table): ChildTable | undefined {
  const parent = table.parent ?? table.changesBy;
  return parent && { ...table, parent };
}

/** The column of the child that holds its parent's key, and the parent's column. A parent's key has one column. */
export function parentKeyOf(
  { parent }: ChildTable,
  { primaryKey: [key] }: Table,
): { by: string; key: string } {
  const [by] = Object.entries(parent.columns).find(([, column]) => column === key) ?? [];
  if (by === undefined) throw new TypeError(`no column holds the key ${key} of the parent ${parent.table}`);
  return { by, key };
}

/** The parent's columns that are needed to ask for its children. */
export function parentColumns({ columns, params }: Parent): string[] {
  return [...new Set([...Object.values(columns), ...params.map(({ column }) => column)])];
}

/** Whether a record of the parent's list meets all conditions. */
export function meets(
  parent: Table,
  record: ApiRecord,
  conditions: readonly ParentCondition[] = [],
): boolean {
  return conditions.every(({ column, path = [], oneOf }) => {
    const found = valueAt(record, [...(parent.columns[column]?.from ?? [column]), ...path]) ?? null;
    return oneOf.some((value) => value === found);
  });
}

/**
 * Refuses tables without the table they are read by: a child is read parent by parent, from the parent's rows in the
 * destination. Throws `UsageError`.
 */
export function assertParentsSelected(selected: readonly Table[]): void {
  const orphans = withoutParent(selected);
  if (orphans.length === 0) return;
  const list = orphans.map(({ table, parent }) => `${table} (by ${parent})`).join(', ');
  const missing = [...new Set(orphans.map(({ parent }) => parent))].join(', ');
  throw new UsageError(
    `These tables are read by the rows of another one that is not selected: ${list}.`,
    `Select ${missing} too, or leave ${orphans.length === 1 ? 'the table' : 'these tables'} out.`,
  );
}

/** The parent of a table if it is one of these tables: the parent is synced first. */
export function parentAmong({ parent }: Table, names: ReadonlySet<string>): string | undefined {
  return parent && names.has(parent.table) ? parent.table : undefined;
}

/** The tables without those whose parent, or its parent, is not among them. */
export function withTheirParents(selected: readonly Table[]): readonly Table[] {
  const orphans = new Set(withoutParent(selected).map(({ table }) => table));
  return orphans.size === 0 ? selected : withTheirParents(selected.filter(({ name }) => !orphans.has(name)));
}

/** The tables whose parent is not among them, and that parent's name. */
export function withoutParent(
  selected: readonly Table[],
): readonly { readonly table: string; readonly parent: string }[] {
  const names = new Set(selected.map(({ name }) => name));
  return selected.flatMap(({ name, parent }) =>
    parent && !names.has(parent.table) ? [{ table: name, parent: parent.table }] : [],
  );
}
