import type { JsonLines } from './answer.ts';

/** Whether one of the rows has this text in a column, such as `id`. */
export function holdsRow({ bytes }: JsonLines, column: string, value: string): boolean {
  const text = Buffer.from(JSON.stringify(value));
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + text.length)) {
    const start = bytes.lastIndexOf(0x0a, at) + 1;
    const end = bytes.indexOf(0x0a, at);
    // A match in another column, or inside one, does not count.
    const row = JSON.parse(bytes.toString('utf8', start, end)) as { readonly [column: string]: unknown };
    if (row[column] === value) return true;
  }
  return false;
}

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
