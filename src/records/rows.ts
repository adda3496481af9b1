import { isLosslessNumber, stringify } from 'lossless-json';

import { RecordShapeError } from '../errors.ts';
import { type ApiRecord, type ColumnType, type Table, valueAt } from '../tables/table.ts';
import { losesDigits, utcTime } from './timestamps.ts';

/** Values that do not fit their column, by column, as JSON text. A column of every staged part. */
export const rawColumn = '__raw';
/** Fields the declaration does not know, by `fieldKey`: text as it is, anything else as JSON text. */
export const unknownColumn = '__unknown';

/**
 * The name of a field as it is kept in a part and in the table's metadata: the inside of its JSON string, so that
 * no two fields share one and none holds a control character or half a surrogate pair.
 */
export function fieldKey(field: string): string {
  return JSON.stringify(field).slice(1, -1);
}

/** The field a `fieldKey` was made of. */
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

type Cells = { [column: string]: unknown };

/** A value that its column cannot hold. */
const misfit = Symbol('misfit');

/** Makes a line of JSON of a record. Throws `RecordShapeError` that names the place for one without a key. */
export type RowMaker = (record: unknown, pass: string | undefined, place: () => string) => string;

/**
 * Makes JSON of records for DuckDB, an object a record: a typed cell a declared column, the values that did not fit
 * in `__raw`, the fields nobody declared in `__unknown`; what is null is left out. The text holds neither half
 * surrogate pairs, which DuckDB refuses, nor numbers that JavaScript rounded.
 */
export function rowMaker(table: Table): RowMaker {
  const columns = Object.entries(table.columns).map(([name, { type, from }]) => ({ name, type, from }));
  const passColumn = table.passes?.column;
  const known = knownFields(table);

  function cellsOf(record: ApiRecord, pass: string | undefined, cellOf: typeof plainCell): Cells {
    const cells: Cells = {};
    let raw: Cells | undefined;
    let unknown: Cells | undefined;
    for (const { name, type, from } of columns) {
      const value = name === passColumn ? pass : from ? valueAt(record, from) : record[name];
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
    for (const field of Object.keys(record)) {
      if (known.has(field)) continue;
      const value = record[field];
      if (value === null || value === undefined) continue;
      // Without a prototype: a field may be called __proto__.
      unknown ??= Object.create(null) as Cells;
      unknown[fieldKey(field)] = unknownCell(value);
    }
    cells[rawColumn] = raw;
    cells[unknownColumn] = unknown;
    return cells;
  }

  return (record, pass, place) => {
    if (!isRecord(record)) throw new RecordShapeError(`${place()} is not a JSON object.`);
    const textOf = (cellOf: typeof plainCell) => {
      const cells = cellsOf(record, pass, cellOf);
      if (typeof cells['id'] !== 'string' || cells['id'] === '') {
        throw new RecordShapeError(`${place()} has no id.`);
      }
      return JSON.stringify(cells);
    };
    const text = textOf(plainCell);
    // Rare, and seen fastest in the whole text: half a surrogate pair is always written as an escape.
    return text.includes('\\ud') || text.includes('"isLosslessNumber":true') ? textOf(carefulCell) : text;
  };
}

export function isRecord(value: unknown): value is ApiRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What `__unknown` holds of a value that is not null. */
export function unknownCell(value: unknown): string {
  return typeof value === 'string' && !hasLoneSurrogate(value) ? value : jsonText(value);
}

/**
 * What DuckDB's JSON reader takes. Nested values go as they are: DuckDB writes their JSON text, and faster. So do
 * numbers that JavaScript cannot hold: the text shows them, and the rows are made again with `carefulCell`.
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
  if (text === undefined) throw new TypeError('A record holds a value that JSON cannot.');
  return text;
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
