import { declaredTypes, type TableShape } from '../../tables/table.ts';
import { duckTypes } from '../duckdb.ts';
import { rawColumn } from '../../records/rows.ts';
import { furtherColumn, unknownColumn } from '../../records/unknown-fields.ts';
import { stagingFolder } from '../store/store.ts';
import type { Part, PartWriter } from '../part.ts';
import type { World } from '../world.ts';
import { fileSuffix, LinesWriter } from './lines-writer.ts';

/** The prefix of a run's parts in the store, with a slash at the end. */
export function stagingOf(table: TableShape, chainId: string): string {
  return `${stagingFolder}/${table.name}/${chainId}/`;
}

/** Whether a part was staged with the columns that the table declares now: only then can it be read. */
export function stagedByDeclaration(table: TableShape, part: Part): boolean {
  return part.name.endsWith(suffixOf(table));
}

function suffixOf(table: TableShape): string {
  return fileSuffix(declaredTypes(table) + JSON.stringify(extraColumns));
}

/** The columns of every part in addition to the declared ones. */
const extraColumns = [
  [rawColumn, 'MAP(VARCHAR, VARCHAR)'],
  [unknownColumn, 'MAP(VARCHAR, VARCHAR)'],
  [furtherColumn, 'VARCHAR'],
] as const;

/** Opens a part for the rows of one batch. */
export function createPart(world: World, table: TableShape, chainId: string): Promise<PartWriter> {
  const declared = Object.entries(table.columns).map(([name, { type }]) => [name, duckTypes[type]] as const);
  return LinesWriter.create(world, stagingOf(table, chainId), {
    columns: [...declared, ...extraColumns],
    suffix: suffixOf(table),
  });
}
