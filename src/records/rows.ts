import { isLosslessNumber, stringify } from 'lossless-json';

import { RecordShapeError } from '../errors.ts';
import { type ApiRecord, type ColumnType, type Table, valueAt } from '../tables/table.ts';
import { losesDigits, utcTime } from './timestamps.ts';

/** Values that do not fit their column, by column, as JSON text. Every staged part has this column. */
export const rawColumn = '__raw';
/** Fields the declaration does not know, by `fieldKey`: text as it is, anything else as JSON text. */
export const unknownColumn = '__unknown';

/**
 * The name of a field as a part and the table's metadata keep it: the inside of its JSON string, so that no two
 * fields share one and none holds a control character or half a surrogate pair.
 */
export function fieldKey(field: string): string {
  return JSON.stringify(field).slice(1, -1);
}

/** The field that a `fieldKey` was made from. */
export function fieldOfKey(key: string): string {
  return JSON.parse(`"${key}"`) as string;
}

/** The fields of a record that are a column of their own. */
export function knownFields(table: Table): Set<string> {
  const columns = Object.entries(table.columns);
  return new Set(
    columns
      .filter(([name, { from }]) => from === undefined && name !== table.passes?.column)
      .map(([name]) => name),
  );
}

/** The value that a record has for a column, as the API sent it. */
export function columnValue(
  { columns, passes }: Table,
  column: string,
  record: ApiRecord,
  pass: string | undefined,
): unknown {
  if (column === passes?.column) return pass;
  const from = columns[column]?.from;
  return from ? valueAt(record, from) : record[column];
}

type Cells = { [column: string]: unknown };

/** Stands for a value that its column cannot hold. */
const misfit = Symbol('misfit');

/** Makes a line of JSON from a record. Throws `RecordShapeError` that names the place of a record without its key. */
export type RowMaker = (record: unknown, pass: string | undefined, place: () => string) => string;

/**
 * Makes JSON objects for DuckDB from records: a typed cell for each declared column, the values that did not fit in
 * `__raw`, the fields nobody declared in `__unknown`; null values are left out. The text holds neither half
 * surrogate pairs, which DuckDB refuses, nor numbers that JavaScript rounded.
 */
export function rowMaker(table: Table): RowMaker {
  const columns = Object.entries(table.columns).map(([name, { type }]) => ({ name, type }));
  const known = knownFields(table);

  function cellsOf(record: ApiRecord, pass: string | undefined, cellOf: typeof plainCell): Cells {
    const cells: Cells = {};
    let raw: Cells | undefined;
    for (const { name, type } of columns) {
      const value = columnValue(table, name, record, pass);
      if (value === null || value === undefined) {
        cells[name] = undefined;
        continue;
      }
      const cell = cellOf(type, value);
      cells[name] = cell === misfit ? undefined : cell;
      if (cell === misfit || (type === 'timestamp' && losesDigits(value))) {
        raw ??= {};
        raw[name] = jsonText(value);
      }
    }
    cells[rawColumn] = raw;
    cells[unknownColumn] = unknownCells(record, known);
    return cells;
  }

  return (record, pass, place) => {
    if (!isRecord(record)) throw new RecordShapeError(`${place()} is not a JSON object.`);
    const textOf = (cellOf: typeof plainCell) => {
      const cells = cellsOf(record, pass, cellOf);
      for (const column of table.primaryKey) {
        if ((cells[column] ?? '') !== '') continue;
        throw new RecordShapeError(`${place()} has no usable value in its key column ${column}.`);
      }
      return JSON.stringify(cells);
    };
    const text = textOf(plainCell);
    // Both are rare, and one look at the whole text is fastest: JSON.stringify escapes half a surrogate pair.
    return text.includes('\\ud') || text.includes('"isLosslessNumber":true') ? textOf(carefulCell) : text;
  };
}

export function isRecord(value: unknown): value is ApiRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownCells(record: ApiRecord, known: ReadonlySet<string>): Cells | undefined {
  let cells: Cells | undefined;
  for (const field of Object.keys(record)) {
    if (known.has(field)) continue;
    const value = record[field];
    if (value === null || value === undefined) continue;
    // Without a prototype, because a field may be called __proto__.
    cells ??= Object.create(null) as Cells;
    cells[fieldKey(field)] = unknownCell(value);
  }
  return cells;
}

/** What `__unknown` holds for a value that is not null. */
export function unknownCell(value: unknown): string {
  return typeof value === 'string' && !hasLoneSurrogate(value) ? value : jsonText(value);
}

/**
 * What DuckDB's JSON reader takes. Nested values stay as they are: DuckDB writes their JSON text, and faster. So do
 * numbers that JavaScript cannot hold: the text shows them, and the row is made again with `carefulCell`.
 */
function plainCell(type: ColumnType, value: unknown): unknown {
  switch (type) {
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

/** The same for records that hold half a surrogate pair or a number JavaScript cannot hold. */
function carefulCell(type: ColumnType, value: unknown): unknown {
  if (type === 'json') return jsonText(value);
  if (type === 'text' && typeof value === 'string' && hasLoneSurrogate(value)) return misfit;
  if (!isLosslessNumber(value)) return plainCell(type, value);
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

/** JSON text that changes no number; half surrogate pairs stay escapes. */
function jsonText(value: unknown): string {
  const text = stringify(value);
  if (text === undefined) throw new TypeError('A record holds a value that JSON cannot express.');
  return text;
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
