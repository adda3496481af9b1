import type { Dice } from './random.ts';
import { timestamp } from './times.ts';
import { chores, sentences, services, symptoms } from './words.ts';

/** What a text is for. */
export type TextContext = {
  /** The object that holds it, in the singular. */
  readonly thing: string;
  readonly field: string;
  readonly description: string;
  /** A number that makes it unique. */
  readonly number: number;
  /** When it was written, in milliseconds since the epoch. */
  readonly moment: number;
  readonly dice: Dice;
};

const timeZones = ['Europe/London', 'America/New_York', 'Asia/Tokyo', 'UTC'] as const;

/** Texts by the last words of a field's name. The first that fits counts. */
const byName: readonly (readonly [RegExp, (context: TextContext) => string])[] = [
  [/(^|_)email$/, ({ number }) => `user${number}@example.com`],
  [/(^|_)(url|permalink|link)$/, ({ thing, number }) => `https://app.incident.io/sandbox/${thing}/${number}`],
  [/(^|_)date$/, ({ moment }) => timestamp(moment).slice(0, 10)],
  [/(^|_)time_?zone$/, ({ dice }) => dice.pick(timeZones)],
  [/(^|_)currency$/, ({ dice }) => dice.pick(['EUR', 'GBP', 'USD'])],
  [/(^|_)title$/, ({ dice }) => `${dice.pick(services).name} ${dice.pick(symptoms)}`],
  [/(^|_)(name|label)$/, ({ thing, number }) => `${capitalised(thing)} ${number}`],
  [/(^|_)(action|instructions)$/, ({ dice }) => `${dice.pick(chores)} ${dice.pick(services).name}`],
  [
    /(^|_)(description|message|summary|text|content|body|reason|notes?|error|docstring)$/,
    ({ dice }) => dice.pick(sentences),
  ],
];

/** One of the values that the description lists, or else a text that fits the field's name. */
export function plausibleText(context: TextContext): string {
  const { field, number, dice } = context;
  const values = listedIn(context.description);
  if (values.length > 0) return dice.pick(values);
  const fitting = byName.find(([pattern]) => pattern.test(field));
  return fitting ? fitting[1](context) : `${field.replaceAll('_', '-')}-${number}`;
}

/** The values in a description such as "Status: firing or resolved."; none if it lists none. */
export function listedIn(description: string): string[] {
  const [, list] = /: ((?:[a-z0-9_]+, )*[a-z0-9_]+,? or [a-z0-9_]+)(?=[.;)]|$)/.exec(description) ?? [];
  return list?.split(/,? or |, /) ?? [];
}

function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
}
