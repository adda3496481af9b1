import { declaredTypes, type TableShape } from '../../tables/table.ts';
import { syncedAt, targetSchema } from '../delta/target-schema.ts';
import { duckTypes, identifier } from '../duckdb.ts';
import { stagingFolder } from '../store/store.ts';
import type { Part, PartOptions, PartWriter } from '../part.ts';
import type { World } from '../world.ts';
import { type ColumnOfFile, type DataFileLayout, fileSuffix, LinesWriter } from './lines-writer.ts';
import { extraColumns, timeAsSql } from './part-rows.ts';

/** The prefix of a run's parts in the store, with a slash at the end. */
export function stagingOf(table: TableShape, chainId: string): string {
  return `${stagingFolder}/${table.name}/${chainId}/`;
}

/** Whether a part was staged with the columns that the table declares now: only then can it be read. */
export function stagedByDeclaration(table: TableShape, part: Part): boolean {
  return part.name.endsWith(part.isDataFile ? dataFileSuffix(table) : partSuffix(table));
}

function partSuffix(table: TableShape): string {
  return fileSuffix(declaredTypes(table) + JSON.stringify(extraColumns));
}

function dataFileSuffix(table: TableShape): string {
  return fileSuffix(declaredTypes(table) + JSON.stringify([syncedAt]));
}

/** Opens a part for the rows of one batch; see `Warehouse.createPart`. */
export function createPart(
  world: World,
  table: TableShape,
  chainId: string,
  { isFirst = false }: PartOptions = {},
): Promise<PartWriter> {
  const declared = Object.entries(table.columns).map(([name, { type }]) => [name, duckTypes[type]] as const);
  return LinesWriter.create(world, stagingOf(table, chainId), {
    columns: [...declared, ...extraColumns],
    suffix: partSuffix(table),
    ...(isFirst && { asDataFile: dataFileLayout(table, declared) }),
  });
}

function dataFileLayout(table: TableShape, declared: readonly ColumnOfFile[]): DataFileLayout {
  const { columns } = targetSchema(table, undefined, { unknown: [], raw: [] });
  const fields = columns.map(({ field }) => field);
  return {
    columns: declared,
    suffix: dataFileSuffix(table),
    fields,
    values: (now) =>
      fields
        .map(({ name }) => identifier(name))
        .map((name) => (name === identifier(syncedAt) ? `${timeAsSql(now)} AS ${name}` : name))
        .join(', '),
  };
}
