import { isLosslessNumber, stringify } from 'lossless-json';

import { RecordShapeError } from '../errors.ts';
import type { ApiRecord, ColumnType, Table } from '../tables/table.ts';
import { utcTime } from './timestamps.ts';

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

/** What DuckDB's JSON reader takes for the column, or a value that does not fit. */
type Cell = { readonly fits: unknown; readonly alsoRaw?: true } | undefined;

/**
 * Makes one line of JSON of a record: a typed cell a declared column, the values that did not fit in `__raw`, the
 * fields nobody declared in `__unknown`. The line holds neither half surrogate pairs, which DuckDB refuses, nor
 * numbers that JavaScript rounded.
 * The function throws `RecordShapeError` for a record without a key; `position` counts from 1.
 */
export function lineMaker(
  table: Table,
): (record: ApiRecord, pass: string | undefined, position: number) => string {
  const columns = Object.entries(table.columns).map(([name, { type, from }]) => ({ name, type, from }));
  const passColumn = table.passes?.column;
  const known = knownFields(table);

  function cellsOf(record: ApiRecord, pass: string | undefined, cellOf: typeof plainCell): Cells {
    const cells: Cells = {};
    let raw: Cells | null = null;
    let unknown: Cells | null = null;
    for (const { name, type, from } of columns) {
      const value = name === passColumn ? pass : from ? from(record) : ownField(record, name);
      if (value === null || value === undefined) {
        cells[name] = null;
        continue;
      }
      const cell = cellOf(type, value);
      cells[name] = cell === undefined ? null : cell.fits;
      if (cell === undefined || cell.alsoRaw) {
        raw ??= {};
        raw[name] = jsonText(value);
      }
    }
    for (const field of Object.keys(record)) {
      const value = record[field];
      if (known.has(field) || value === null || value === undefined) continue;
      // Without a prototype: a field may be called __proto__.
      unknown ??= Object.create(null) as Cells;
      unknown[fieldKey(field)] =
        typeof value === 'string' && !hasLoneSurrogate(value) ? value : jsonText(value);
    }
    cells[rawColumn] = raw;
    cells[unknownColumn] = unknown;
    return cells;
  }

  return (record, pass, position) => {
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw new RecordShapeError(`${table.name}: record ${position} of the batch is not a JSON object.`);
    }
    let cells = cellsOf(record, pass, plainCell);
    let line = JSON.stringify(cells);
    // Rare, and seen fastest in the whole line: half a surrogate pair is always written as an escape.
    if (line.includes('\\ud') || line.includes('"isLosslessNumber":true')) {
      cells = cellsOf(record, pass, carefulCell);
      line = JSON.stringify(cells);
    }
    if (typeof cells['id'] !== 'string' || cells['id'] === '') {
      throw new RecordShapeError(`${table.name}: record ${position} of the batch has no id.`);
    }
    return line;
  };
}

/** A record's own field: `constructor` is none unless the API sent it. */
function ownField(record: ApiRecord, field: string): unknown {
  return Object.hasOwn(record, field) ? record[field] : undefined;
}

/** Nested values go as they are: DuckDB writes their JSON text, and faster. */
function plainCell(type: ColumnType, value: unknown): Cell {
  switch (type) {
    case 'text':
      return typeof value === 'string' ? { fits: value } : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? { fits: value } : undefined;
    case 'double':
      return typeof value === 'number' && Number.isFinite(value) ? { fits: value } : undefined;
    case 'bigint':
      return Number.isSafeInteger(value) ? { fits: value } : undefined;
    case 'timestamp': {
      const time = typeof value === 'string' ? utcTime(value) : undefined;
      return time && { fits: time.text, ...(!time.exact && { alsoRaw: true as const }) };
    }
    case 'json':
      return { fits: typeof value === 'object' ? value : JSON.stringify(value) };
  }
}

/** The same for records that hold half a surrogate pair or a number JavaScript cannot hold. */
function carefulCell(type: ColumnType, value: unknown): Cell {
  if (type === 'json') return { fits: jsonText(value) };
  if (type === 'text' && typeof value === 'string' && hasLoneSurrogate(value)) return undefined;
  if (!isLosslessNumber(value)) return plainCell(type, value);
  const digits = value.toString();
  if (type === 'double') {
    const number = Number(digits);
    return Number.isFinite(number) ? { fits: number } : undefined;
  }
  if (type === 'bigint' && /^-?\d+$/.test(digits)) {
    const integer = BigInt(digits);
    return BigInt.asIntN(64, integer) === integer ? { fits: digits } : undefined;
  }
  return undefined;
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
