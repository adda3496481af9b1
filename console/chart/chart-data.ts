import type { RowsResult } from '../../src/console/contract/common.ts';
import { textOf } from '../data/cell-text.ts';

/** What a chart shows: for each value across, one figure per series; null where there is none. */
export type ChartData = {
  readonly labels: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
};

/** Rows as figures by two or three of their columns. */
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

/** Whole numbers, such as hours of the day, by their size; everything else as the rows have it. */
function inOrder(keys: readonly string[]): readonly string[] {
  return keys.every((key) => /^\d+$/.test(key)) ? keys.toSorted((a, b) => Number(a) - Number(b)) : keys;
}

function words(value: RowsResult['rows'][number][number] | undefined): string {
  return value === null || value === undefined ? 'none' : textOf(value);
}

/** Numbers that a double cannot hold come as text: a chart is not that exact. */
function figureOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** `2026-10-01T00:00:00Z` as `2026-10-01` where all are midnights, as `2026-10` where all are firsts of a month. */
function shortLabels(labels: readonly string[]): readonly string[] {
  const all = (pattern: RegExp) => labels.every((label) => pattern.test(label));
  if (!all(/^\d{4}-\d\d-\d\d([T ]00:00:00(\.0+)?(Z|\+00(:00)?)?)?$/)) return labels;
  return labels.map((label) => label.slice(0, all(/^\d{4}-\d\d-01/) ? 7 : 10));
}
