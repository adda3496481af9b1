import { DestinationError } from '../../errors.ts';
import type { Metadata } from './actions.ts';
import { duckTypes, identifier, parquetFiles } from '../duckdb.ts';

/** A column of a Delta schema. Its type is the name of a primitive, or an object for a struct, array or map. */
export type Field = {
  readonly name: string;
  readonly type: string | object;
  readonly nullable: boolean;
  readonly metadata: { readonly [property: string]: unknown };
};

export function fieldsOf(metadata: Metadata): Field[] {
  return (JSON.parse(metadata.schemaString) as { fields: Field[] }).fields;
}

const duckTypesOfDelta: { readonly [type: string]: string } = {
  string: duckTypes.text,
  timestamp: duckTypes.timestamp,
  boolean: duckTypes.boolean,
  double: duckTypes.double,
  long: duckTypes.bigint,
  integer: 'INTEGER',
  short: 'SMALLINT',
  byte: 'TINYINT',
  float: 'FLOAT',
  date: 'DATE',
  binary: 'BLOB',
};

/** The DuckDB type of a column. Throws `DestinationError` for a column of another writer that has a nested type. */
export function duckTypeOf(table: string, { name, type }: Field): string {
  const known = typeof type === 'string' ? (duckTypesOfDelta[type] ?? decimal(type)) : undefined;
  if (known === undefined) {
    throw new DestinationError(
      `${table}: its column ${name} has the type ${JSON.stringify(type)}, which is not supported.`,
      'Drop the column, or sync into another destination.',
    );
  }
  return known;
}

/** SQL for the rows in data files with every column of the table: older files lack the columns that were added since. */
export function rowsOfFiles(table: string, fields: readonly Field[], paths: readonly string[]): string {
  const none = fields.map((field) => `NULL::${duckTypeOf(table, field)} AS ${identifier(field.name)}`);
  const files =
    paths.length === 0
      ? ''
      : ` UNION ALL BY NAME SELECT * FROM ${parquetFiles(paths, ', union_by_name = true')}`;
  return `SELECT ${none.join(', ')} WHERE false${files}`;
}

function decimal(type: string): string | undefined {
  return /^decimal\(\d+, ?\d+\)$/.test(type) ? type : undefined;
}
