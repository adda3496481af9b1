import Table from 'cli-table3';
import { UsageError } from '../../errors.ts';
import { withSuggestion } from '../../nearest.ts';
import type { Output } from '../session.ts';
import { snakeCased } from './snake-case.ts';
import { widthOf } from './text.ts';

/** One column of a printed table. */
export type PrintedColumn<Row> = {
  readonly head: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** Long text continues on the next line; in other columns it is cut at the terminal's edge. */
  readonly wrap?: true;
};

const gap = 2;
/** A narrower column would show too little to be of use. */
const narrowest = 8;
/**
 * Prints rows in columns. On a terminal they fit its width: the widest columns shrink first, and columns without any
 * room are left out. Elsewhere nothing is cut.
 * @returns how many columns were left out
 */
export function printTable<Row>(
  output: Output,
  rows: readonly Row[],
  columns: readonly PrintedColumn<Row>[],
): number {
  if (!output.isTTY) {
    output.write(plainTable(rows, columns));
    return 0;
  }
  const width = widthOf(output);
  const shown = columns.slice(0, Math.max(1, Math.floor((width + gap) / (narrowest + gap))));
  const cells = rows.map((row) => shown.map(({ value }) => visible(value(row))));
  const widest = shown.map(({ head }, i) =>
    Math.max(head.length, ...cells.map((row) => Math.min(row[i]!.length, width))),
  );
  const widths = fitted(widest, width - gap * (shown.length - 1));
  const table = new Table({
    head: shown.map(({ head }) => head),
    colWidths: widths,
    colAligns: shown.map(({ align }) => align ?? 'left'),
    chars: onlyRule,
    style: { head: ['dim'], border: ['dim'], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  for (const row of cells) {
    table.push(
      row.map((content, i) => {
        const wraps = shown[i]!.wrap === true;
        return { content, wordWrap: wraps, wrapOnWordBoundary: wraps };
      }),
    );
  }
  output.write(`${table.toString()}\n`);
  return columns.length - shown.length;
}

/** Columns without borders, with a rule below the heads. */
const onlyRule = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '─',
  'mid-mid': '─'.repeat(gap),
  right: '',
  'right-mid': '',
  middle: ' '.repeat(gap),
};

/** Widths that together do not exceed `room`: the wider ones are cut to a common limit. */
function fitted(widest: readonly number[], room: number): number[] {
  let left = room;
  const widths = Array.from(widest, () => 0);
  const byWidth = widest.map((width, index) => ({ width, index })).sort((a, b) => a.width - b.width);
  byWidth.forEach(({ width, index }, place) => {
    const share = Math.floor(left / (byWidth.length - place));
    widths[index] = Math.max(1, Math.min(width, share));
    left -= widths[index];
  });
  return widths;
}

function plainTable<Row>(rows: readonly Row[], columns: readonly PrintedColumn<Row>[]): string {
  const cells = [
    columns.map(({ head }) => head),
    ...rows.map((row) => columns.map(({ value }) => visible(value(row)))),
  ];
  const widths = columns.map((_, i) => cells.reduce((most, row) => Math.max(most, row[i]!.length), 0));
  return cells
    .map((row) => {
      const padded = row.map((cell, i) =>
        columns[i]!.align === 'right' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
      );
      return `${padded.join(' '.repeat(gap)).trimEnd()}\n`;
    })
    .join('');
}

/** The text with its control characters written out: a value must not break lines or steer a terminal. */
export function visible(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => named[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
const named: { readonly [character: string]: string } = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Prints a value as JSON for a machine, indented. The names of all fields become snake_case. */
export function printJson(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(snakeCased(value), undefined, 2)}\n`);
}

/** `1234567` as `1,234,567`; with a noun, `1 row` or `1,234 rows`. */
export function count(n: number, noun?: string): string {
  const figure = n.toLocaleString('en');
  if (noun === undefined) return figure;
  return `${figure} ${noun}${n === 1 ? '' : 's'}`;
}

/** `40s`, `12m`, `3h`, `9d`: rounded down, in the largest unit of which there are at least two. */
export function span(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ] as const;
  for (const [unit, length] of units) {
    if (seconds >= 2 * length) return `${Math.floor(seconds / length)}${unit}`;
  }
  return `${Math.round(seconds)}s`;
}

/** The value, if it is one of those allowed. Throws a `UsageError` that names them if it is not. */
export function choices<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new UsageError(
    `Unknown ${name} ${JSON.stringify(value)}.`,
    withSuggestion(value, allowed, `Use ${alternatives(allowed)}.`),
  );
}

/** `5m, 15m or 1h` */
export function alternatives(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
