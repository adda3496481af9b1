import type { ApiRecord, Sandbox } from '../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../src/tables/index.ts';
import { isChild, parentKeyOf } from '../../src/tables/parents.ts';
import { readsByChange } from '../../src/tables/table.ts';

/** Changes the parent of a row, so that an incremental run reads its children. */
export function touchParent(sandbox: Sandbox, name: string, record: ApiRecord): void {
  const table = tableNamed(name);
  if (!isChild(table) || !readsByChange(table)) return;
  const parent = tableNamed(table.parent.table);
  const id = record[parentKeyOf(table, parent).by] as string;
  const [open] = table.parent.open ?? [];
  const patch = 'updated_at' in parent.columns || !open ? {} : { [open.column]: open.oneOf[0] };
  touchParent(sandbox, parent.name, sandbox.change(parent.name, id, patch));
}

/** Creates a row where the next run looks: in a table with a window of time, in that. */
export function createSeen(sandbox: Sandbox, name: string): ApiRecord {
  const { timeWindow } = tableNamed(name);
  if (!timeWindow) return sandbox.create(name, {});
  const { start, end } = timeWindow.columns;
  const at = (days: number) => new Date(sandbox.now() + days * 86_400_000).toISOString();
  return sandbox.create(name, { [start]: at(1), [end]: at(2) });
}
