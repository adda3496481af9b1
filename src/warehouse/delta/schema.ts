import { DestinationError } from '../../errors.ts';
import { type ColumnType, declaredTypes, type Table } from '../../tables/table.ts';
import type { Metadata } from './actions.ts';
import { duckTypes, identifier, literal, parquetFiles } from '../duckdb.ts';
import { fieldOfKey, knownFields, rawColumn, unknownColumn } from '../../records/rows.ts';

/** A column of a Delta schema. Types other than names of primitives are structs, arrays and maps. */
export type Field = {
  readonly name: string;
  readonly type: string | object;
  readonly nullable: boolean;
  readonly metadata: { readonly [property: string]: unknown };
};

/** Column metadata: the declared type, the field the column was added for, the column whose odd values it holds. */
const typeProperty = 'incident_io.type';
const fieldProperty = 'incident_io.field';
const rawProperty = 'incident_io.raw';
/** Table property: the declaration's types of the version that wrote last. */
export const typesProperty = 'incident_io.types';

/** When a row was last written. */
export const syncedAt = '_synced_at';

const deltaTypes: { readonly [T in ColumnType]: string } = {
  text: 'string',
  timestamp: 'timestamp',
  boolean: 'boolean',
  double: 'double',
  bigint: 'long',
  json: 'string',
};

/** DuckDB says under these names where a row of a file stands; a column of such a name would hide it from merges. */
const duckDbsOwn = ['file_index', 'file_row_number'];

/** A column of the table to be and where its value comes from. */
export type TargetColumn = {
  readonly field: Field;
  /** SQL over a staged part; absent for `_synced_at` and for columns somebody else added, which keep their values. */
  readonly staged?: string;
};

export type TargetSchema = {
  readonly columns: readonly TargetColumn[];
  /** The table's own columns are not the declared ones: every row has to be written anew. */
  readonly rewrite: boolean;
  /** Columns the table gets for unknown fields and for values that do not fit. */
  readonly added: readonly string[];
  /** Rows that are not in this run would lack an unknown field's value. */
  readonly addedForUnknown: boolean;
};

export function fieldsOf(metadata: Metadata): Field[] {
  return (JSON.parse(metadata.schemaString) as { fields: Field[] }).fields;
}

/**
 * The schema a commit leaves: declared columns, `_synced_at`, then those added on the way, which keep their names
 * and places for ever.
 * @param unknown keys of the fields in the staged parts that the declaration does not know
 * @param raw columns with values in the staged parts that do not fit
 */
export function targetSchema(
  table: Table,
  metadata: Metadata | undefined,
  unknown: readonly string[],
  raw: readonly string[],
): TargetSchema {
  const present = metadata ? fieldsOf(metadata) : [];
  const rewrite = metadata !== undefined && !hasDeclaredColumns(table, metadata);
  const own = new Map(ownColumns(table).map((column) => [column.field.name, column]));
  const known = knownFields(table);

  const columns: TargetColumn[] = [];
  const taken = new Set<string>();
  const put = (column: TargetColumn) => {
    columns.push(column);
    taken.add(column.field.name.toLowerCase());
  };
  if (metadata === undefined || rewrite) for (const column of own.values()) put(column);
  else for (const field of present) put(own.get(field.name) ?? keptColumn(field));
  // What a name may become later is not for an unknown field now.
  const reserved = new Set([...duckDbsOwn, ...[...own.keys()].flatMap((name) => [name, rawName(name)])]);
  const uniqueName = (wanted: string, isFree: (name: string) => boolean) => {
    for (let attempt = 0; ; attempt += 1) {
      const name = attempt === 0 ? wanted : `${wanted}__api${attempt === 1 ? '' : attempt}`;
      if (isFree(name.toLowerCase()) && !taken.has(name.toLowerCase())) return name;
    }
  };
  const addUnknown = (key: string, wanted: string) => {
    const name = uniqueName(wanted, (name) => !reserved.has(name));
    put(unknownColumnOf(name, key));
    return name;
  };
  const addRaw = (column: string) => {
    const name = uniqueName(rawName(column), () => true);
    put(rawColumnOf(name, column));
    return name;
  };

  if (rewrite) {
    for (const { name, metadata: facts } of present) {
      const key = facts[fieldProperty];
      const column = facts[rawProperty];
      if (typeof key === 'string' && !known.has(fieldOfKey(key))) addUnknown(key, name);
      if (typeof column === 'string' && own.has(column)) addRaw(column);
    }
  }
  const mapped = (property: string) => new Set(columns.map(({ field }) => field.metadata[property]));
  const [knownKeys, knownRaw] = [mapped(fieldProperty), mapped(rawProperty)];
  const newFields = [...unknown]
    .sort()
    .filter((key) => !knownKeys.has(key))
    .map((key) => addUnknown(key, cleanName(fieldOfKey(key))));
  const newRaw = [...raw]
    .sort()
    .filter((column) => !knownRaw.has(column))
    .map(addRaw);
  return { columns, rewrite, added: [...newFields, ...newRaw], addedForUnknown: newFields.length > 0 };
}

/** Whether the table has the declared columns with the declared types: only a full read can change them. */
export function hasDeclaredColumns(table: Table, metadata: Metadata): boolean {
  const types = new Map(fieldsOf(metadata).map((field) => [field.name, field]));
  return (
    metadata.configuration[typesProperty] === declaredTypes(table) &&
    ownColumns(table).every(({ field }) => {
      const found = types.get(field.name);
      return found?.type === field.type && found.metadata[fieldProperty] === undefined;
    })
  );
}

function ownColumns(table: Table): TargetColumn[] {
  const declared = Object.entries(table.columns).map(([name, { type, description }]) => ({
    field: field(name, deltaTypes[type], { comment: description, [typeProperty]: type }),
    staged: identifier(name),
  }));
  return [
    ...declared,
    { field: field(syncedAt, 'timestamp', { comment: 'When this row was last written.' }) },
  ];
}

function unknownColumnOf(name: string, key: string): TargetColumn {
  const comment = `The field ${JSON.stringify(fieldOfKey(key))} of the API, which this version does not know: text as it is, anything else as JSON text.`;
  return {
    field: field(name, 'string', { comment, [fieldProperty]: key }),
    staged: `map_extract_value(${identifier(unknownColumn)}, ${literal(key)})`,
  };
}

function rawColumnOf(name: string, column: string): TargetColumn {
  const comment = `JSON text of values the API sent for ${column} that do not fit it, or lose digits in it.`;
  return {
    field: field(name, 'string', { comment, [rawProperty]: column }),
    staged: `map_extract_value(${identifier(rawColumn)}, ${literal(column)})`,
  };
}

/** A column that is not declared: added earlier on the way, or by somebody else. */
function keptColumn(present: Field): TargetColumn {
  const { name, metadata } = present;
  const key = metadata[fieldProperty];
  const column = metadata[rawProperty];
  if (typeof key === 'string') return unknownColumnOf(name, key);
  if (typeof column === 'string') return rawColumnOf(name, column);
  return { field: { ...present, nullable: true } };
}

/** Every column may be null: a NOT NULL one would make readers refuse a row the API sent without it. */
function field(name: string, type: string, metadata: Field['metadata']): Field {
  return { name, type, nullable: true, metadata };
}

function rawName(column: string): string {
  return `${column}__raw`;
}

/** Without characters that Spark refuses in a column's name or that need quoting everywhere. */
function cleanName(name: string): string {
  const cleaned = name.replace(/[\s,;{}()=.`"'\\]|\p{Control}|\p{Surrogate}/gu, '_');
  return cleaned === '' ? 'unnamed' : cleaned;
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

/** How DuckDB calls a column's type. Throws `DestinationError` for the nested types of somebody else's columns. */
export function duckTypeOf(table: string, { name, type }: Field): string {
  const known = typeof type === 'string' ? (duckTypesOfDelta[type] ?? decimal(type)) : undefined;
  if (known === undefined) {
    throw new DestinationError(
      `${table}: its column ${name} has the type ${JSON.stringify(type)}, which cannot be carried over.`,
      'Drop the column, or sync into another destination.',
    );
  }
  return known;
}

/** SQL of the rows in data files, with every column of the table: older files lack those that were added since. */
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
