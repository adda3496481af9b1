import { meets } from '../tables/parents.ts';
import type { Parent, Table, TimeWindow } from '../tables/table.ts';
import { fieldAt, type ApiRecord } from './data/source.ts';
import { momentOf } from './data/times.ts';
import { invalid } from './problems.ts';

/** How the API serves a list that answers for one row of another table at a time. */
export type Child = {
  readonly declared: Parent;
  /** The declaration of the parent's table. */
  readonly parent: Table;
  /** Fields of the sandbox's rows that the API does not send with a row. */
  readonly unsent: readonly string[];
  readonly lists?: NonNullable<Table['lists']>;
  readonly beside?: NonNullable<Table['fromAnswer']>;
  readonly window?: TimeWindow;
};

export function childOf(table: Table, tables: readonly Table[]): Child | undefined {
  const { parent: declared, lists, fromAnswer, timeWindow, columns } = table;
  const parent = declared && tables.find(({ name }) => name === declared.table);
  if (!declared || !parent) return undefined;
  const injected = Object.keys(declared.columns).filter((column) => !columns[column]?.required);
  return {
    declared,
    parent,
    unsent: [...injected, ...(lists ? [lists.column] : []), ...Object.keys(fromAnswer ?? {})],
    ...(lists && { lists }),
    ...(fromAnswer && { beside: fromAnswer }),
    ...(timeWindow && { window: timeWindow }),
  };
}

/** The parameters of a child's list besides those of its pages. */
export function paramsOf({ declared, window }: Child): string[] {
  const ofParent = declared.params.filter((param) => param.in === 'query').map(({ name }) => name);
  return [...ofParent, ...(window ? [window.from, window.to] : [])];
}

/** What a request for children asks for. */
export type Asked = {
  /** The values that name the parent, by the child's columns. */
  readonly values: { readonly [column: string]: string };
  /** Milliseconds since the epoch. */
  readonly window?: { readonly from: number; readonly to: number };
};

/** Throws a 422 if the parent is not named. */
export function askedOf(
  { declared, window }: Child,
  query: (name: string) => string | undefined,
  placeholders: { readonly [name: string]: string },
): Asked {
  const values: { [column: string]: string } = {};
  for (const { name, in: place, column } of declared.params) {
    const value = place === 'path' ? placeholders[name] : query(name);
    if (value === undefined || value === '') throw invalid(name, `${name} is missing from query string`);
    const [own] = Object.entries(declared.columns).find(([, of]) => of === column) ?? [];
    values[own ?? column] = value;
  }
  if (!window) return { values };
  const moment = (name: string, missing: number) => {
    const text = query(name);
    if (text === undefined) return missing;
    const at = momentOf(text);
    if (at === undefined) throw invalid(name, `${name} must be an RFC 3339 timestamp`);
    return at;
  };
  return { values, window: { from: moment(window.from, 0), to: moment(window.to, Infinity) } };
}

/** Whether the parent's row can have children. */
export function canHaveChildren({ declared, parent }: Child, record: ApiRecord): boolean {
  return meets(parent, record, declared.where);
}

/** One answer covers this much of a window of time. */
const windowMs = 30 * 86_400_000;

/** The part of the window that an answer covers, and where the next one begins. */
export function answeredPart({ from, to }: NonNullable<Asked['window']>): {
  from: number;
  to: number;
  next?: string;
} {
  const end = from + windowMs;
  return end >= to ? { from, to } : { from, to: end, next: new Date(end).toISOString() };
}

export function overlaps({ columns }: TimeWindow, record: ApiRecord, from: number, to: number): boolean {
  const start = momentOf(record[columns.start]) ?? Number.NaN;
  const end = momentOf(record[columns.end]) ?? Number.NaN;
  return start < to && end > from;
}

/** The record as the API sends it with a row. */
export function sentOf({ unsent }: Child, record: ApiRecord): ApiRecord {
  return Object.fromEntries(Object.entries(record).filter(([field]) => !unsent.includes(field)));
}

/** The records as the API wraps them: in one list, or in several by name. */
export function wrapped(
  { lists }: Child,
  found: readonly { readonly record: ApiRecord; readonly text: string }[],
): string {
  if (!lists) return `[${found.map(({ text }) => text).join(',')}]`;
  const all = lists.names.map((name) => {
    const texts = found.filter(({ record }) => record[lists.column] === name).map(({ text }) => text);
    return `${JSON.stringify(name)}:[${texts.join(',')}]`;
  });
  return `{${all.join(',')}}`;
}

/** What an answer has next to its records: the values of its first record, as they are the same for all. */
export function besides({ beside = {} }: Child, record: ApiRecord | undefined): ApiRecord {
  const made: ApiRecord = {};
  for (const [column, path] of Object.entries(beside)) {
    const value = record && fieldAt(record, [column]);
    const nested = path.toReversed().reduce<unknown>((inner, field) => ({ [field]: inner }), value);
    Object.assign(made, nested);
  }
  return made;
}
