import type { JsonLines } from './answer.ts';

/** The times in a column of the first and the last row, milliseconds since the epoch; NaN for one that has none. */
export function edgeTimes(
  { bytes, count }: JsonLines,
  column: string,
): { readonly first: number; readonly last: number } {
  if (count === 0) return { first: Number.NaN, last: Number.NaN };
  const timeIn = (line: string) =>
    Date.parse(String((JSON.parse(line) as { readonly [column: string]: unknown })[column]));
  const end = bytes.length - 1;
  return {
    first: timeIn(bytes.toString('utf8', 0, bytes.indexOf(0x0a))),
    last: timeIn(bytes.toString('utf8', bytes.lastIndexOf(0x0a, end - 1) + 1, end)),
  };
}
