import type { ColumnType } from '../../tables/table.ts';
import { daysIn, firstYear, lastYear } from '../timestamps.ts';
import type { Field } from './fields.ts';

/** Whether DuckDB reads the value's bytes as a cell of such a column. */
export function isCell(type: ColumnType, field: Field, bytes: Buffer): boolean {
  const { kind, from, to } = field;
  if (kind === 'null') return true;
  if (field.hasSecrets) return false;
  switch (type) {
    case 'text':
      return kind === 'text';
    case 'json':
      return kind === 'object' || kind === 'array';
    case 'boolean':
      return kind === 'boolean';
    case 'double':
      return kind === 'integer' || kind === 'fraction';
    case 'bigint':
      return kind === 'integer';
    case 'timestamp':
      return kind === 'text' && isUtcTime(bytes, from + 1, to - 1);
  }
}

/** Whether these bytes, which are ASCII, are a time that `utcTime` returns unchanged. */
export function isUtcTime(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < 20 || to - from > 27 || to - from === 21) return false;
  const two = (at: number) => {
    const tens = bytes[at]! - 0x30;
    const ones = bytes[at + 1]! - 0x30;
    return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
  };
  const is = (at: number, character: number) => bytes[from + at] === character;
  const separated = is(4, 0x2d) && is(7, 0x2d) && is(10, 0x54) && is(13, 0x3a) && is(16, 0x3a);
  if (!separated || bytes[to - 1] !== 0x5a) return false;
  for (let i = from + 20; i < to - 1; i += 1) if (bytes[i]! < 0x30 || bytes[i]! > 0x39) return false;
  if (to - from > 20 && !is(19, 0x2e)) return false;
  const year = two(from) * 100 + two(from + 2);
  const month = two(from + 5);
  const day = two(from + 8);
  return (
    year >= firstYear &&
    year <= lastYear &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    (day <= 28 || day <= daysIn(year, month)) &&
    two(from + 11) <= 23 &&
    two(from + 14) <= 59 &&
    two(from + 17) <= 59
  );
}
