import { randomUUID } from 'node:crypto';

import { isLosslessNumber, stringify } from 'lossless-json';

/** Levels of nesting that are parsed: few enough for the stack of every parser and writer of JSON. */
export const deepest = 200;

/** A value nested too deeply to be parsed: its text as it came. */
export class DeepValue {
  text: string;
  /** A mark in the JSON of a row, which is then made again in the careful style. */
  readonly isDeepValue = true;
  constructor(text: string) {
    this.text = text;
  }

  /** Whether any field in the text has a name that passes the test. */
  hasField(test: (field: string) => boolean): boolean {
    for (const [, name] of this.text.matchAll(/("(?:[^"\\]|\\.)*")\s*:/g)) {
      if (test(JSON.parse(name!) as string)) return true;
    }
    return false;
  }
}

/** JSON text without its deepest values: parse `text`, then have them put back. */
export type CutJson = {
  readonly text: string;
  /** Puts a `DeepValue` in the place of each value that was cut out. */
  readonly putBack: (parsed: unknown) => unknown;
};

/**
 * Cuts out of JSON text what is nested too deeply. Looks only at strings and brackets: what is cut out is not checked,
 * and what is left is for a parser to judge. Throws `SyntaxError` if a bracket is not closed.
 */
export function cutDeepValues(json: string): CutJson {
  const deep = deepRanges(json);
  if (deep.length === 0) return { text: json, putBack: (parsed) => parsed };
  // Random, so that no text in the JSON can contain it.
  const mark = `${randomUUID()}:`;
  let text = '';
  let end = 0;
  deep.forEach(({ from, to }, index) => {
    text += `${json.slice(end, from)}"${mark}${index}"`;
    end = to;
  });
  text += json.slice(end);
  const putBack = (value: unknown): unknown => {
    if (typeof value === 'string') {
      if (!value.startsWith(mark)) return value;
      const { from, to } = deep[Number(value.slice(mark.length))]!;
      return new DeepValue(json.slice(from, to));
    }
    if (Array.isArray(value)) return value.map(putBack);
    if (typeof value !== 'object' || value === null || isLosslessNumber(value)) return value;
    for (const [field, inner] of Object.entries(value)) {
      Object.defineProperty(value, field, { value: putBack(inner) });
    }
    return value;
  };
  return { text, putBack };
}

/** Where the objects and arrays are that begin below the deepest level. */
function deepRanges(json: string): { readonly from: number; readonly to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < json.length; at += 1) {
    const character = json.charCodeAt(at);
    if (character === 0x22) at = endOfString(json, at);
    else if (character === 0x5b || character === 0x7b) {
      depth += 1;
      if (depth === deepest + 1) from = at;
    } else if (character === 0x5d || character === 0x7d) {
      if (depth === deepest + 1) ranges.push({ from, to: at + 1 });
      depth -= 1;
    }
  }
  if (depth !== 0) throw new SyntaxError('The brackets of the JSON text do not match.');
  return ranges;
}

/** The position of the closing quote; the end of the text if there is none. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json.charCodeAt(at) !== 0x22) at += json.charCodeAt(at) === 0x5c ? 2 : 1;
  return at;
}

/** JSON text of a value in which there may be a `DeepValue`. */
export function jsonTextWithDeepValues(value: unknown): string | undefined {
  const texts: string[] = [];
  const mark = randomUUID();
  const text = stringify(value, (_, inner: unknown) => {
    if (!(inner instanceof DeepValue)) return inner;
    texts.push(inner.text);
    return mark;
  });
  return text
    ?.split(`"${mark}"`)
    .map((piece, index) => piece + (texts[index] ?? ''))
    .join('');
}
