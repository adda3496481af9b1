import { isLosslessNumber, stringify } from 'lossless-json';

import { RecordShapeError } from '../errors.ts';
import { type ApiRecord, type ColumnType, type TableShape, valueAt } from '../tables/table.ts';
import type { RuledColumns } from './column-rules.ts';
import { jsonTextWithDeepValues } from './deep-values.ts';
import { Secrets } from './secrets.ts';
import { losesDigits, utcTime } from './timestamps.ts';
import {
  fieldKey,
  furtherColumn,
  furtherFields,
  unknownColumn,
  type UnknownFields,
} from './unknown-fields.ts';

/** Values that do not fit their column, by column, as JSON text. Every staged part has this column. */
export const rawColumn = '__raw';
/** The fields of a record that are a column of their own, or have the value of one inside. */
export function knownFields(table: TableShape): Set<string> {
  const columns = Object.entries(table.columns).filter(([name]) => !isOutside(table, name));
  return new Set(columns.map(([name, { from }]) => from?.[0] ?? name));
}

/** Values that the rows of an answer have in common and that are not in their records, by column. */
export type Given = { readonly [column: string]: unknown };

/** Whether a column's value is never in the record: the pass, the list's name, what is next to the records. */
export function isOutside({ passes, lists, fromAnswer = {} }: TableShape, column: string): boolean {
  return column === passes?.column || column === lists?.column || column in fromAnswer;
}

/** The value that a record has for a column, as the API sent it. */
export function columnValue(
  { columns, passes }: TableShape,
  column: string,
  record: ApiRecord,
  pass: string | undefined,
  given: Given = {},
): unknown {
  if (column === passes?.column) return pass;
  if (column in given) return given[column];
  const from = columns[column]?.from;
  return from ? valueAt(record, from) : record[column];
}

type Cells = { [column: string]: unknown };

/** Represents a value that its column cannot hold. */
const misfit = Symbol('misfit');
/** Represents a value that means "no value". */
const nothing = Symbol('nothing');

/** The content of a cell: ids are text, although the API may send a number for one. */
type CellType = ColumnType | 'id';

/** How values are written. */
type Style = {
  readonly cell: (type: CellType, value: unknown) => unknown;
  readonly json: (value: unknown) => string;
};
const plain: Style = { cell: plainCell, json: jsonText };
const careful: Style = { cell: carefulCell, json: carefulText };

export type RowOptions = {
  /**
   * Undeclared fields that are landed although their name looks like a secret's: `creator.token`, `images[].token`.
   * `all` for records from which secrets have been cut out already.
   */
  readonly harmless?: readonly string[] | 'all';
  /** Is given the paths of those that do not land. */
  readonly withheld?: Set<string>;
  /** The columns whose values are written as hashes, and how. */
  readonly hashing?: Pick<RuledColumns<TableShape>, 'hashed' | 'hash'>;
  /** Undeclared fields of a record only land if they are among the harmless ones. */
  readonly isStrict?: boolean;
};

/**
 * Makes a line of JSON from a record, and removes from it what never lands. Throws `RecordShapeError` that names the
 * place of a record without its key.
 */
export type RowMaker = (
  record: unknown,
  pass: string | undefined,
  place: () => string,
  given?: Given,
) => string;

/**
 * Makes JSON objects for DuckDB from records: a typed cell for each declared column, the values that did not fit in
 * `__raw`, undeclared fields in `__unknown`; null values are left out. The text holds neither half
 * surrogate pairs, which DuckDB refuses, nor numbers that JavaScript rounded, nor values nested without end, nor secrets.
 */
export function rowMaker(
  table: TableShape,
  { harmless, withheld = new Set(), hashing, isStrict = false }: RowOptions = {},
): RowMaker {
  const columns = Object.entries(table.columns).map(([name, { type }]): { name: string; type: CellType } => ({
    name,
    type: type === 'text' && isId(table, name) ? 'id' : type,
  }));
  const standIns = Object.entries(table.columns).flatMap(([name, { orFrom }]) =>
    orFrom ? [{ name, orFrom }] : [],
  );
  const known = knownFields(table);
  const secrets = new Secrets(table, known, { harmless, isStrict });

  function cellsOf(record: ApiRecord, pass: string | undefined, style: Style, given: Given): Cells {
    const cells: Cells = {};
    let raw: Cells | undefined;
    for (const { name, type } of columns) {
      const value = columnValue(table, name, record, pass, given);
      const cell = value === null || value === undefined ? nothing : style.cell(type, value);
      const isHashed = hashing?.hashed.has(name) === true;
      const shown = isHashed && typeof cell === 'string' ? hashing.hash(cell) : cell;
      cells[name] = shown === misfit || shown === nothing ? undefined : shown;
      // The raw text would show what the hash hides.
      if (isHashed) continue;
      if (cell === misfit || (type === 'timestamp' && losesDigits(value))) {
        raw ??= {};
        raw[name] = style.json(value);
      }
      // The row belongs to the parent that was asked for, but what the record says is not lost.
      if (name in given && known.has(name) && (record[name] ?? value) !== value) {
        raw ??= {};
        raw[name] = style.json(record[name]);
      }
    }
    for (const { name, orFrom } of standIns) {
      cells[name] ??= orFrom.map((column) => (cells[column] ?? '') as string).join(' ');
    }
    cells[rawColumn] = raw;
    const unknown = unknownFields(record, known, style);
    cells[unknownColumn] = unknown;
    cells[furtherColumn] = unknown && furtherFields(unknown);
    return cells;
  }

  return (record, pass, place, given = {}) => {
    if (!isRecord(record)) throw new RecordShapeError(`${place()} is not a JSON object.`);
    secrets.cutFrom(record, withheld);
    const textOf = (style: Style) => {
      const cells = cellsOf(record, pass, style, given);
      for (const column of table.primaryKey) {
        if ((cells[column] ?? '') !== '') continue;
        throw new RecordShapeError(`${place()} has no usable value in its key column ${column}.`);
      }
      return JSON.stringify(cells);
    };
    const text = textOf(plain);
    return needsCare.some((sign) => text.includes(sign)) ? textOf(careful) : text;
  };
}

/**
 * Marks in a row's JSON which show that it has to be made again in the careful style, which is rare: JSON.stringify
 * escapes half a surrogate pair, and writes a `LosslessNumber` and a `DeepValue` as objects.
 */
const needsCare = ['\\ud', '"isLosslessNumber":true', 'isDeepValue'];

/** Whether a text column is an id: part of the key, or a reference to another row. */
function isId({ primaryKey }: TableShape, column: string): boolean {
  return primaryKey.includes(column) || /(^|_)id$/.test(column);
}

export function isRecord(value: unknown): value is ApiRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownFields(
  record: ApiRecord,
  known: ReadonlySet<string>,
  style: Style,
): UnknownFields | undefined {
  let fields: { [key: string]: string } | undefined;
  for (const field of Object.keys(record)) {
    if (known.has(field)) continue;
    const value = record[field];
    if (value === null || value === undefined) continue;
    // Without a prototype, because a field may be called __proto__.
    fields ??= Object.create(null) as { [key: string]: string };
    fields[fieldKey(field)] = unknownCell(value, style.json);
  }
  return fields;
}

/** What `__unknown` holds for a value that is not null. */
export function unknownCell(value: unknown, json: Style['json'] = jsonText): string {
  return typeof value === 'string' && !hasLoneSurrogate(value) ? value : json(value);
}

/**
 * A cell for DuckDB's JSON reader. Nested values stay as they are, because DuckDB writes their JSON text faster. So do
 * numbers that JavaScript cannot hold: they show in the text, and the row is made again with `carefulCell`.
 */
function plainCell(type: CellType, value: unknown): unknown {
  // Some clients send an empty text for a missing time or number.
  if (value === '' && type !== 'text' && type !== 'id' && type !== 'json') return nothing;
  switch (type) {
    case 'id':
      return typeof value === 'string' ? value : (numberText(value) ?? misfit);
    case 'text':
      return typeof value === 'string' ? value : misfit;
    case 'boolean':
      return typeof value === 'boolean' ? value : misfit;
    case 'double':
      return (typeof value === 'number' && Number.isFinite(value)) || isLosslessNumber(value)
        ? value
        : misfit;
    case 'bigint':
      return Number.isSafeInteger(value) || isLosslessNumber(value) ? value : misfit;
    case 'timestamp':
      return (typeof value === 'string' ? utcTime(value) : undefined) ?? misfit;
    case 'json':
      return typeof value === 'object' ? value : JSON.stringify(value);
  }
}

/** The same for records with half a surrogate pair, a number JavaScript cannot hold, or a value nested too deeply. */
function carefulCell(type: CellType, value: unknown): unknown {
  if (type === 'json') return carefulText(value);
  if ((type === 'text' || type === 'id') && typeof value === 'string' && hasLoneSurrogate(value))
    return misfit;
  if (!isLosslessNumber(value) || type === 'id') return plainCell(type, value);
  const digits = value.toString();
  if (type === 'double') {
    const number = Number(digits);
    return Number.isFinite(number) ? number : misfit;
  }
  if (type === 'bigint' && /^-?\d+$/.test(digits)) {
    const integer = BigInt(digits);
    return BigInt.asIntN(64, integer) === integer ? digits : misfit;
  }
  return misfit;
}

/** A number's digits, exactly as the API sent them if JavaScript cannot keep them all. */
function numberText(value: unknown): string | undefined {
  return typeof value === 'number' || isLosslessNumber(value) ? value.toString() : undefined;
}

/** JSON text that changes no number; half surrogate pairs stay escapes. */
function jsonText(value: unknown): string {
  return textOf(stringify(value));
}

/** The same for a value that may contain one that is nested too deeply. */
function carefulText(value: unknown): string {
  return textOf(jsonTextWithDeepValues(value));
}

function textOf(json: string | undefined): string {
  if (json === undefined) throw new TypeError('A record holds a value that JSON cannot express.');
  return json;
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
