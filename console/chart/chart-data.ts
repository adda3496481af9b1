import type { RowsResult } from '../../src/console/contract/common.ts';
import { textOf } from '../data/cell-text.ts';

/** What a chart shows: for each label on the x axis, one figure per series; null if it is missing. */
export type ChartData = {
  readonly labels: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
};

/** Turns rows into figures, by two or three of their columns. */
export function seriesOf(
  { columns, rows }: RowsResult,
  { x, y, series }: { readonly x: string; readonly y: string; readonly series?: string | undefined },
): ChartData {
  const place = (name: string) => columns.findIndex((column) => column.name === name);
  const [across, up, by] = [place(x), place(y), series === undefined ? -1 : place(series)];
  const keys = inOrder([...new Set(rows.map((row) => words(row[across])))]);
  const names = by < 0 ? [y] : [...new Set(rows.map((row) => words(row[by])))];
  const figures = new Map(
    rows.map((row) => [`${by < 0 ? y : words(row[by])}\n${words(row[across])}`, figureOf(row[up])]),
  );
  return {
    labels: shortLabels(keys),
    series: names.map((name) => ({
      name,
      values: keys.map((key) => figures.get(`${name}\n${key}`) ?? null),
    })),
  };
}

/** Sorts whole numbers, such as hours of the day; everything else keeps the order of the rows. */
function inOrder(keys: readonly string[]): readonly string[] {
  return keys.every((key) => /^\d+$/.test(key)) ? keys.toSorted((a, b) => Number(a) - Number(b)) : keys;
}

function words(value: RowsResult['rows'][number][number] | undefined): string {
  return value === null || value === undefined ? 'none' : textOf(value);
}

/** Numbers that do not fit a double come as text; a chart does not need that precision. */
function figureOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** `2026-10-01T00:00:00Z` becomes `2026-10-01` if all are midnight, `2026-10` if all are the first of a month. */
function shortLabels(labels: readonly string[]): readonly string[] {
  const all = (pattern: RegExp) => labels.every((label) => pattern.test(label));
  if (!all(/^\d{4}-\d\d-\d\d([T ]00:00:00(\.0+)?(Z|\+00(:00)?)?)?$/)) return labels;
  return labels.map((label) => label.slice(0, all(/^\d{4}-\d\d-01/) ? 7 : 10));
}
