/** One row of a benchmark's results. */
export type Figure = {
  readonly what: string;
  readonly measured: string;
  /** The target, and the measured value divided by it. */
  readonly reach?: string;
  readonly ratio?: number;
};

/** The value that this share of the values, above 0 and up to 1, does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1]!;
}

/** The figures as a Markdown table, aligned so that it is readable in a terminal too. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = [
    ['what', 'measured', 'target', 'ratio'],
    ...figures.map(({ what, measured, reach = '', ratio }) => [
      what,
      measured,
      reach,
      ratio === undefined ? '' : ratio.toFixed(2),
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join('\n');
}

export function mib(bytes: number): string {
  const size = bytes / 2 ** 20;
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} MiB`;
}
