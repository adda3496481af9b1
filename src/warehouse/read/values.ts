import '../duckdb-allocator.ts';

import {
  DuckDBArrayValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * A value in a form that JSON does not change: numbers that a double cannot hold exactly as text, times in ISO 8601
 * (UTC), lists and structs nested, everything else as DuckDB prints it.
 */
export function jsonOf(value: DuckDBValue): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  // JSON has neither NaN nor infinity.
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof DuckDBDecimalValue) {
    return value.width <= exactDigits ? value.toDouble() : value.toString();
  }
  if (value instanceof DuckDBTimestampTZValue) return value.isFinite ? `${iso(value)}Z` : String(value);
  if (value instanceof DuckDBTimestampValue) return value.isFinite ? iso(value) : String(value);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(jsonOf);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, entry]) => [name, jsonOf(entry)]));
  }
  if (value instanceof DuckDBMapValue) {
    return value.entries.map(({ key, value }) => ({ key: jsonOf(key), value: jsonOf(value) }));
  }
  return value.toString();
}

/** A value as text for one cell of a printed table. */
export function textOf(value: DuckDBValue): string {
  const json = jsonOf(value);
  if (json === null) return '';
  return typeof json === 'object' ? JSON.stringify(json) : String(json);
}

/** The number of decimal digits that every double keeps. */
const exactDigits = 15;

/** Fractions of a second only as far as needed: none, milliseconds or microseconds. */
function iso({ micros }: { readonly micros: bigint }): string {
  const part = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((micros - part) / 1000n)).toISOString().slice(0, -'.000Z'.length);
  if (part === 0n) return seconds;
  const digits = String(part).padStart(6, '0');
  return `${seconds}.${digits.endsWith('000') ? digits.slice(0, 3) : digits}`;
}
