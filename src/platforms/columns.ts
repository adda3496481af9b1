import type { ColumnType, Table } from '../tables/table.ts';
import { type Field, fieldsOf } from '../warehouse/delta/schema.ts';
import type { Snapshot } from '../warehouse/delta/snapshot.ts';
import { syncedAt } from '../warehouse/delta/target-schema.ts';
import { literal } from '../warehouse/duckdb.ts';
import type { ColumnSql } from '../warehouse/read/difference.ts';

/** JSON Schema of a column. */
export type ColumnSchema = { readonly [keyword: string]: unknown };

/** How a platform wants rows. */
export type Dialect = {
  /** Keyword that marks a timestamp as one with a time zone. */
  readonly timestamps: ColumnSchema;
  /** The column with the time at which a row was deleted, null in a living row. */
  readonly deletedAt: string;
  readonly json: 'native' | 'text';
};

/** A column as platforms see it. */
export type PlatformColumn = {
  readonly name: string;
  readonly schema: ColumnSchema;
  /** SQL for the column's JSON text, made of the SQL for its value; null stands for null. */
  readonly sql: (value: string) => string;
};

type Kind = Exclude<ColumnType, 'json'> | 'object' | 'list';

/**
 * The columns of a table: the key first, then the declared ones, `_synced_at`, those that the table has been given for
 * undeclared fields, and the deletion mark.
 */
export function platformColumns(
  table: Table,
  snapshot: Snapshot | undefined,
  dialect: Dialect,
): PlatformColumn[] {
  const { primaryKey, columns } = table;
  const names = [...primaryKey, ...Object.keys(columns).filter((name) => !primaryKey.includes(name))];
  const declared = names.map((name) => {
    const { type, description, list } = columns[name]!;
    const kind = type === 'json' ? (dialect.json === 'text' ? 'text' : list ? 'list' : 'object') : type;
    return columnOf(name, kind, description, dialect);
  });
  const known = new Set([...names, syncedAt]);
  const added = (snapshot ? fieldsOf(snapshot.metadata) : [])
    .filter(({ name }) => !known.has(name))
    .map((field) => columnOf(field.name, kindOf(field), commentOf(field), dialect));
  return [
    ...declared,
    columnOf(syncedAt, 'timestamp', 'When this row was last written.', dialect),
    ...added,
    columnOf(
      dialect.deletedAt,
      'timestamp',
      'When this row was found deleted; null in a row that exists.',
      dialect,
    ),
  ];
}

function kindOf({ type }: Field): Kind {
  switch (type) {
    case 'timestamp':
      return 'timestamp';
    case 'boolean':
      return 'boolean';
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return 'bigint';
    case 'double':
    case 'float':
      return 'double';
    default:
      return 'text';
  }
}

function commentOf({ metadata }: Field): string {
  return typeof metadata['comment'] === 'string' ? metadata['comment'] : '';
}

function columnOf(name: string, kind: Kind, description: string, { timestamps }: Dialect): PlatformColumn {
  const schema = kind === 'timestamp' ? { ...schemas.timestamp, ...timestamps } : schemas[kind];
  return { name, schema: { ...schema, description }, sql: jsonTexts[kind] };
}

/** Every column may be null: one record that a target refuses fails its whole run. */
const schemas: { readonly [K in Kind]: ColumnSchema } = {
  text: { type: ['null', 'string'] },
  timestamp: { type: ['null', 'string'], format: 'date-time' },
  boolean: { type: ['null', 'boolean'] },
  double: { type: ['null', 'number'] },
  bigint: { type: ['null', 'integer'] },
  object: { type: ['null', 'object'], additionalProperties: true },
  list: { type: ['null', 'array'], items: {} },
};

/**
 * In JSON a line break can only be between two tokens, where a space means the same; in a message it would end the line.
 * Looking for one costs little, replacing costs much.
 */
const onOneLine = (value: string) =>
  `CASE WHEN contains(${value}, chr(10)) OR contains(${value}, chr(13)) THEN translate(${value}, chr(10) || chr(13), '  ') ELSE ${value} END`;

const jsonTexts: { readonly [K in Kind]: (value: string) => string } = {
  text: (value) => `to_json(${value}::VARCHAR)::VARCHAR`,
  // Always UTC with microseconds: some platforms drop an offset and keep the wall clock.
  timestamp: (value) =>
    `CASE WHEN isfinite(${value}) THEN strftime(make_timestamp(epoch_us(${value})), '"%Y-%m-%dT%H:%M:%S.%fZ"') END`,
  boolean: (value) => `${value}::VARCHAR`,
  double: (value) => `CASE WHEN isfinite(${value}) THEN ${value}::VARCHAR END`,
  bigint: (value) => `${value}::VARCHAR`,
  object: onOneLine,
  list: onOneLine,
};

/**
 * SQL for the JSON object of a row.
 * @param fixed JSON texts of columns that do not come from the row
 */
export function rowSql(
  columns: readonly PlatformColumn[],
  value: ColumnSql,
  fixed: { readonly [column: string]: string },
): string {
  const pieces = columns.map(({ name, sql }, index) => {
    const start = literal(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`);
    const own = fixed[name];
    if (own !== undefined) return `${start}, ${literal(own)}`;
    return `${start}, coalesce(${sql(value(name))}, 'null')`;
  });
  return `${pieces.join(', ')}, '}'`;
}
