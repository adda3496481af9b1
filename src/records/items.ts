import { isLosslessNumber } from 'lossless-json';

import type { ApiRecord } from '../tables/table.ts';
import { cutDeepValues } from './deep-values.ts';
import { parseJson } from './json.ts';
import { isRecord } from './rows.ts';

/** An item of a list inside a row. */
export type Item = {
  /** An item that is not an object is one with the field `value`. */
  readonly record: ApiRecord;
  /** Its place in its list, from 1. */
  readonly position: number;
  /** The name of the entry that it is, or that it is in. */
  readonly entry: string | undefined;
  /** The item of the list further out that its list is in. */
  readonly outer: ApiRecord | undefined;
  readonly outerPosition: number | undefined;
};

/** Finds items along a path such as `events[].users[]`; see `ItemsOf`. */
export type ItemFinder = (value: unknown) => Item[];

/** A step of the path: fields that each lead to items, or to the next step. */
type Step = readonly { readonly field: string; readonly holds: 'one' | 'list' | 'entries' }[];

/** What is known about the value that a step begins at. */
type At = Pick<Item, 'entry' | 'outer' | 'outerPosition'>;

/** @param path the first field in it is the column whose value the finder is given */
export function itemFinder(path: string): ItemFinder {
  const steps = path.split('.').map(stepOf);
  return (value) => {
    const items: Item[] = [];
    const [{ field }] = steps[0] as [Step[number]];
    follow(
      { [field]: value },
      steps,
      { entry: undefined, outer: undefined, outerPosition: undefined },
      items,
    );
    return items;
  };
}

function stepOf(text: string): Step {
  return text.split('|').map((field) => {
    const name = field.replace(/(\[\]|\{\})$/, '');
    return { field: name, holds: field === name ? 'one' : field.endsWith('[]') ? 'list' : 'entries' };
  });
}

function follow(from: ApiRecord, [step, ...others]: readonly Step[], at: At, items: Item[]): void {
  for (const { field, holds } of step!) {
    membersOf(from[field], holds).forEach(([name, member], index) => {
      if (member === null || member === undefined) return;
      const record = isRecord(member) && !isLosslessNumber(member) ? member : { value: member };
      const entry = name ?? at.entry;
      if (others.length === 0) items.push({ ...at, record, position: index + 1, entry });
      else if (holds === 'one') follow(record, others, { ...at, entry }, items);
      else follow(record, others, { entry, outer: record, outerPosition: index + 1 }, items);
    });
  }
}

/** The members of a value with their names. A value of another kind than the path says has none. */
function membersOf(
  value: unknown,
  holds: Step[number]['holds'],
): readonly (readonly [string | undefined, unknown])[] {
  if (holds === 'one') return [[undefined, value]];
  if (holds === 'list') return Array.isArray(value) ? value.map((member) => [undefined, member]) : [];
  return isRecord(value) ? Object.entries(value) : [];
}

/** Parses the text of a JSON column. Throws `SyntaxError`. */
export function parseCell(text: string): unknown {
  const json = cutDeepValues(text);
  return json.putBack(parseJson(json.text));
}
