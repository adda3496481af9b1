import type { RowsResult } from '../../src/console/contract/common.ts';

export type Value = RowsResult['rows'][number][number];

const numeric = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL.*)$/;

export function isNumeric(type: string): boolean {
  return numeric.test(type);
}

/** A value as text: nested ones as JSON. */
export function textOf(value: Value): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
