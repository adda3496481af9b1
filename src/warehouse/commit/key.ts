import type { TableShape } from '../../tables/table.ts';
import { type DuckSession, duckTypes, identifier } from '../duckdb.ts';

export type KeyColumn = {
  /** The name in the table, in parts and in data files. */
  readonly column: string;
  /** The name in temporary tables, `key0` and so on: the table's name may be that of another column there. */
  readonly name: string;
  /** The type in DuckDB. */
  readonly type: string;
};

/** A table's key for SQL. */
export type Key = {
  readonly columns: readonly [KeyColumn, ...KeyColumn[]];
  /** `key0, key1` */
  readonly names: string;
  /** `key0 VARCHAR, key1 BIGINT` */
  readonly definitions: string;
  /** Selects the key from parts and data files: `"id" AS key0, "position" AS key1`. */
  readonly select: string;
};

export function keyOf({ primaryKey, columns: declared }: TableShape): Key {
  const keyColumn = (column: string, index: number): KeyColumn => ({
    column,
    name: `key${index}`,
    type: duckTypes[declared[column]!.type],
  });
  const [first, ...others] = primaryKey;
  const columns = [
    keyColumn(first, 0),
    ...others.map((column, index) => keyColumn(column, index + 1)),
  ] as const;
  const list = (of: (column: KeyColumn) => string) => columns.map(of).join(', ');
  return {
    columns,
    names: list(({ name }) => name),
    definitions: list(({ name, type }) => `${name} ${type}`),
    select: list(({ column, name }) => `${identifier(column)} AS ${name}`),
  };
}

/**
 * Whether no two rows of a temporary table have the same key. Compares hashes, which take less than half of the memory.
 * If two keys have the same hash, it returns `false` for unique keys: then the caller only takes longer.
 */
export async function haveUniqueKeys(session: DuckSession, table: string, key: Key): Promise<boolean> {
  const [keys] = await session.rows(`
    SELECT count(*) = count(DISTINCT hash(${key.names})) AS are_unique FROM ${table}`);
  return keys?.['are_unique'] === true;
}
