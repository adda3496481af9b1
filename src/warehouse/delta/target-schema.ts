import { type ColumnType, declaredTypes, type TableShape } from '../../tables/table.ts';
import type { Metadata } from './actions.ts';
import { identifier, literal } from '../duckdb.ts';
import { type Field, fieldsOf } from './schema.ts';
import { knownFields, rawColumn } from '../../records/rows.ts';
import {
  fieldOfKey,
  furtherColumn,
  mostUnknownColumns,
  unknownColumn,
} from '../../records/unknown-fields.ts';

/** Column property: the declared type. */
const typeProperty = 'incident_io.type';
/** Column property: the `fieldKey` of the unknown field that the column was added for. */
const fieldProperty = 'incident_io.field';
/** Column property: the declared column whose values are in this one because they do not fit. */
const rawProperty = 'incident_io.raw';
/** Column property: the column holds all unknown fields without a column of their own. */
const restProperty = 'incident_io.rest';

/** The column for unknown fields beyond `mostUnknownColumns`. */
const restColumn = '_further_fields';
/** Table property: the column types as declared by the program version that wrote last. */
export const typesProperty = 'incident_io.types';

/** The column that says when a row was last written. */
export const syncedAt = '_synced_at';

const deltaTypes: { readonly [T in ColumnType]: string } = {
  text: 'string',
  timestamp: 'timestamp',
  boolean: 'boolean',
  double: 'double',
  bigint: 'long',
  json: 'string',
};

/** DuckDB's names for a row's place in its files. A column with such a name would hide the place from a merge. */
const duckDbsOwn = ['file_index', 'file_row_number'];

/** A column of the table after the commit, and where its values come from. */
export type TargetColumn = {
  readonly field: Field;
  /** SQL over a staged part; absent for `_synced_at`, and for columns of another writer, which keep their values. */
  readonly staged?: string;
  /** A row in which only such columns differ has not changed. */
  readonly isVolatile?: boolean;
};

export type TargetSchema = {
  readonly columns: readonly TargetColumn[];
  /** The columns that the table has are not the declared ones: every row has to be written again. */
  readonly rewrite: boolean;
  /** Columns that the commit adds for unknown fields and for values that do not fit. */
  readonly added: readonly string[];
  /** A column is added for an unknown field, and rows that this run has not read lack its value. */
  readonly addedForUnknown: boolean;
};

/** What the staged parts hold besides values of the declared columns. */
export type StagedExtras = {
  /**
   * The `fieldKey`s of fields that the declaration does not know and that have no column yet. In order, the first
   * ones are enough: one more than `mostUnknownColumns`.
   */
  readonly unknown: readonly string[];
  /** Columns with values that do not fit them. */
  readonly raw: readonly string[];
};

/**
 * The schema after a commit: the declared columns, `_synced_at`, then the added columns, which keep their names and
 * places forever.
 */
export function targetSchema(
  table: TableShape,
  metadata: Metadata | undefined,
  { unknown, raw }: StagedExtras,
): TargetSchema {
  const present = metadata ? fieldsOf(metadata) : [];
  const rewrite = metadata !== undefined && !hasDeclaredColumns(table, metadata);
  const own = new Map(ownColumns(table).map((column) => [column.field.name, column]));
  const columns = new ColumnList([...own.keys()]);
  if (metadata === undefined || rewrite) for (const column of own.values()) columns.put(column);
  else for (const field of present) columns.put(own.get(field.name) ?? keptColumn(field));
  if (rewrite) {
    const known = knownFields(table);
    for (const { name, metadata: properties } of present) {
      const key = properties[fieldProperty];
      const column = properties[rawProperty];
      if (typeof key === 'string' && !known.has(fieldOfKey(key))) columns.addUnknown(key, name);
      if (typeof column === 'string' && own.has(column)) columns.addRaw(column);
      if (properties[restProperty] !== undefined) columns.addRest();
    }
  }
  const [knownKeys, knownRaw] = [columns.valuesOf(fieldProperty), columns.valuesOf(rawProperty)];
  // Sorted, so that which of two fields gets a name does not depend on the order of the rows.
  const newKeys = [...unknown].sort().filter((key) => !knownKeys.has(key));
  const newRaw = [...raw].sort().filter((column) => !knownRaw.has(column));
  const room = Math.max(0, mostUnknownColumns - knownKeys.size);
  const addedForUnknown = newKeys
    .slice(0, room)
    .map((key) => columns.addUnknown(key, cleanName(fieldOfKey(key))));
  // This column comes first, because a report may not list all of them.
  if (newKeys.length > room && columns.valuesOf(restProperty).size === 0)
    addedForUnknown.unshift(columns.addRest());
  const addedForRaw = newRaw.map((column) => columns.addRaw(column));
  return {
    columns: columns.withRest(),
    rewrite,
    added: [...addedForUnknown, ...addedForRaw],
    addedForUnknown: addedForUnknown.length > 0,
  };
}

/** The `fieldKey`s of unknown fields that a table has columns for. */
export function unknownKeysOf(metadata: Metadata): string[] {
  return fieldsOf(metadata)
    .map(({ metadata: properties }) => properties[fieldProperty])
    .filter((key) => typeof key === 'string');
}

/** Collects columns, and gives added ones a name that no other column has, ignoring case. */
class ColumnList {
  readonly list: TargetColumn[] = [];
  readonly #taken = new Set<string>();
  /** An unknown field must not take a name that a declared column, or its `__raw` column, may need later. */
  readonly #reserved: ReadonlySet<string>;

  constructor(own: readonly string[]) {
    this.#reserved = new Set([...duckDbsOwn, restColumn, ...own.flatMap((name) => [name, rawName(name)])]);
  }

  put(column: TargetColumn): void {
    this.list.push(column);
    this.#taken.add(column.field.name.toLowerCase());
  }

  /** Adds a column for an unknown field; returns its name. */
  addUnknown(key: string, wanted: string): string {
    const name = this.#uniqueName(wanted, (name) => !this.#reserved.has(name));
    this.put(unknownColumnOf(name, key));
    return name;
  }

  /** Adds a column for the values that do not fit a declared one; returns its name. */
  addRaw(column: string): string {
    const name = this.#uniqueName(rawName(column), () => true);
    this.put(rawColumnOf(name, column));
    return name;
  }

  /** Adds the column for all fields without one; returns its name. */
  addRest(): string {
    const name = this.#uniqueName(restColumn, () => true);
    this.put(restColumnOf(name));
    return name;
  }

  /** The values that columns have for a property. */
  valuesOf(property: string): Set<unknown> {
    const values = this.list.map(({ field }) => field.metadata[property]);
    return new Set(values.filter((value) => value !== undefined));
  }

  /** All columns; the one for the rest takes the fields that none of the others has. */
  withRest(): TargetColumn[] {
    const keys = [...this.valuesOf(fieldProperty)].filter((key) => typeof key === 'string');
    return this.list.map((column) =>
      column.field.metadata[restProperty] === undefined ? column : { ...column, staged: restOf(keys) },
    );
  }

  #uniqueName(wanted: string, isAllowed: (lowerCase: string) => boolean): string {
    for (let attempt = 0; ; attempt += 1) {
      const name = attempt === 0 ? wanted : `${wanted}__api${attempt === 1 ? '' : attempt}`;
      const lowerCase = name.toLowerCase();
      if (isAllowed(lowerCase) && !this.#taken.has(lowerCase)) return name;
    }
  }
}

/** Whether the table has the declared columns with the declared types. If not, only a full read can change that. */
export function hasDeclaredColumns(table: TableShape, metadata: Metadata): boolean {
  const types = new Map(fieldsOf(metadata).map((field) => [field.name, field]));
  return (
    metadata.configuration[typesProperty] === declaredTypes(table) &&
    ownColumns(table).every(({ field }) => {
      const found = types.get(field.name);
      return found?.type === field.type && found.metadata[fieldProperty] === undefined;
    })
  );
}

function ownColumns(table: TableShape): TargetColumn[] {
  const declared = Object.entries(table.columns).map(([name, { type, description, volatile = false }]) => ({
    field: field(name, deltaTypes[type], { comment: description, [typeProperty]: type }),
    staged: identifier(name),
    isVolatile: volatile,
  }));
  return [
    ...declared,
    { field: field(syncedAt, 'timestamp', { comment: 'When this row was last written.' }) },
  ];
}

function unknownColumnOf(name: string, key: string): TargetColumn {
  const comment = `The field ${JSON.stringify(fieldOfKey(key))} of the API, which this version does not know: text unchanged, anything else as JSON text.`;
  return {
    field: field(name, 'string', { comment, [fieldProperty]: key }),
    staged: `map_extract_value(${identifier(unknownColumn)}, ${literal(key)})`,
  };
}

function rawColumnOf(name: string, column: string): TargetColumn {
  const comment = `JSON text of values that the API sent for ${column} and that do not fit it, or lose digits in it.`;
  return {
    field: field(name, 'string', { comment, [rawProperty]: column }),
    staged: `map_extract_value(${identifier(rawColumn)}, ${literal(column)})`,
  };
}

function restColumnOf(name: string): TargetColumn {
  const comment = `Fields of the API that this version does not know and that have no column, as a JSON object: text unchanged, anything else as JSON text. A row with more than ${mostUnknownColumns} unknown fields has all of them here.`;
  return { field: field(name, 'string', { comment, [restProperty]: true }) };
}

/** SQL for the unknown fields without a column of their own, as the text of a JSON object. */
function restOf(keys: readonly string[]): string {
  const own = `[${keys.map(literal).join(', ')}]::VARCHAR[]`;
  // A key is the inside of a JSON string already.
  const fields = `list_transform(
    list_filter(map_entries(${identifier(unknownColumn)}), lambda entry: NOT list_contains(${own}, entry.key)),
    lambda entry: '"' || entry.key || '":' || to_json(entry.value)::VARCHAR)`;
  const few = `'{' || nullif(array_to_string(${fields}, ','), '') || '}'`;
  // A list of all of them would not fit into memory for many wide rows, but their text does.
  return `CASE WHEN ${identifier(furtherColumn)} IS NULL THEN ${few} ELSE ${identifier(furtherColumn)} END`;
}

/** A column that is not declared: added by an earlier commit, or by another writer. */
function keptColumn(present: Field): TargetColumn {
  const { name, metadata } = present;
  const key = metadata[fieldProperty];
  const column = metadata[rawProperty];
  if (typeof key === 'string') return unknownColumnOf(name, key);
  if (typeof column === 'string') return rawColumnOf(name, column);
  if (metadata[restProperty] !== undefined) return restColumnOf(name);
  return { field: { ...present, nullable: true } };
}

/** Every column may be null. If one were NOT NULL, readers would refuse a row that the API sent without it. */
function field(name: string, type: string, metadata: Field['metadata']): Field {
  return { name, type, nullable: true, metadata };
}

function rawName(column: string): string {
  return `${column}__raw`;
}

/** Replaces characters that Spark refuses in column names, or that need quoting everywhere. */
function cleanName(name: string): string {
  const cleaned = name.replace(/[\s,;{}()=.`"'\\]|\p{Control}|\p{Surrogate}/gu, '_');
  return cleaned === '' ? 'unnamed' : cleaned;
}
