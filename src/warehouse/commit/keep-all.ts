import type { TableShape } from '../../tables/table.ts';
import { rowCount } from '../delta/row-count.ts';
import type { Snapshot } from '../delta/snapshot.ts';
import { targetSchema, type TargetSchema } from '../delta/target-schema.ts';
import type { CommitRequest } from '../warehouse.ts';
import type { World } from '../world.ts';
import type { Merged } from './merge-request.ts';

/** Whether a run can change no row: it read what the table has, or asked for changes and found none. */
export function stagesNothing({ unchanged, fullRead, parts, replaces }: CommitRequest): boolean {
  return unchanged === true || (parts.length === 0 && !fullRead && !replaces);
}

/** What a merge of nothing leaves: the table as it is. It needs no DuckDB. */
export async function keepAll(
  world: World,
  table: TableShape,
  before: Snapshot,
): Promise<{ readonly schema: TargetSchema; readonly result: Merged }> {
  const rows = await rowCount(world, table.name, before.files.values());
  return {
    schema: targetSchema(table, before.metadata, { unknown: [], raw: [] }),
    result: { adds: [], removed: [], rows, rowsBefore: rows, inserted: 0, updated: 0, dropped: 0 },
  };
}
