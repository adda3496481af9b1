import type { Output } from '../session.ts';

/** The width assumed for a terminal that does not report one. */
const usualWidth = 80;

/** The width that text has to fit; infinite if the output is not a terminal. */
export function widthOf({ isTTY, columns }: Output): number {
  // Some pseudo terminals report a width of 0.
  return isTTY ? columns || usualWidth : Number.POSITIVE_INFINITY;
}

/** Writes lines for people. A terminal would break long ones in the middle of a word. */
export function writeText(output: Output, text: string): void {
  output.write(`${wrapped(text, widthOf(output))}\n`);
}

/**
 * Breaks lines between words; what follows a break is indented like the line. A longer word stays whole, as does a line
 * that is a command: people copy them.
 */
export function wrapped(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => (line.length <= width || isCommand(line) ? [line] : broken(line, width)))
    .join('\n');
}

function isCommand(line: string): boolean {
  return line.trimStart().startsWith('incident-io-source ');
}

function broken(line: string, width: number): string[] {
  const [head] = /^\s*(?:→ )?/.exec(line)!;
  const indent = ' '.repeat(head.length);
  const [first = '', ...words] = line.slice(head.length).split(' ');
  const lines: string[] = [];
  let current = head + first;
  for (const word of words) {
    if (current.length + 1 + word.length <= width) {
      current += ` ${word}`;
    } else {
      lines.push(current);
      current = indent + word;
    }
  }
  return [...lines, current];
}

/** A word as it is typed in a shell. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
