import { UsageError } from '../errors.ts';
import { type ApiRecord, type Parent, type ParentCondition, type Table, valueAt } from './table.ts';

/** A table that is read parent by parent. */
export type ChildTable = Table & { readonly parent: Parent };

export function isChild(table: Table): table is ChildTable {
  return table.parent !== undefined;
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
  const names = new Set(selected.map(({ name }) => name));
  const orphans = selected.filter(({ parent }) => parent && !names.has(parent.table));
  if (orphans.length === 0) return;
  const list = orphans.map(({ name, parent }) => `${name} (needs ${parent!.table})`).join(', ');
  const missing = [...new Set(orphans.map(({ parent }) => parent!.table))].join(', ');
  throw new UsageError(
    `Read parent by parent, but the parent’s table is not selected: ${list}.`,
    `Select ${missing} too, or leave these tables out.`,
  );
}
