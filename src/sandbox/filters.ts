import type { TimestampField, TimestampFilter } from '../tables/table.ts';
import { type Asked, askedOf, paramsOf } from './children.ts';
import { sortOrders, type Choice, type Endpoint } from './endpoints.ts';
import { invalid } from './problems.ts';

/** Milliseconds since the epoch, from `from` up to but not including `before`. */
export type Range = { readonly from: number; readonly before: number };

/** What a request asks for, after validation. */
export type Query = {
  /** `undefined` if the endpoint has no pages. */
  readonly pageSize: number | undefined;
  readonly after: string | undefined;
  readonly order: 'oldest' | 'newest';
  readonly created: Range;
  readonly updated: Range;
  /** For each choice of the endpoint, whether rows with this value are asked for. */
  readonly isChosen: ReadonlyMap<Choice, (value: string) => boolean>;
  /** The parent whose rows are asked for, if the request names one. */
  readonly parentId: string | undefined;
  /** For a list that answers for one parent at a time. */
  readonly asked: Asked | undefined;
  /** The same text for all pages of one list. */
  readonly filter: string;
};

/** What the vendor's documentation leaves open, so that a test can try each reading. */
export type Readings = {
  /** The time zone of bare dates, such as `+02:00`. */
  readonly dateZone: string;
  /** The order of endpoints that document none. */
  readonly order: Query['order'];
};

const dayMs = 86_400_000;
/** Milliseconds. Added to an inclusive end, it gives the exclusive one: timestamps are in whole microseconds. */
const halfMicrosecond = 0.0005;
const bareDate = /^\d{4}-\d\d-\d\d$/;
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const always: Range = { from: -Infinity, before: Infinity };

/** The values of each parameter, by its operator (`gte` in `updated_at[gte]`, empty if there is none). */
type Given = Map<string, Map<string, string[]>>;

/**
 * Reads a query string as the endpoint would. Throws a 422 for an unknown parameter or an invalid value.
 * @param placeholders the values in the path
 * @param valuesOf the values that a choice accepts at the moment
 */
export function parseQuery(
  endpoint: Endpoint,
  params: URLSearchParams,
  { dateZone, order }: Readings,
  placeholders: { readonly [name: string]: string },
  valuesOf: (choice: Choice) => readonly string[],
): Query {
  const given = group(endpoint, params);
  const range = (field: TimestampField) => {
    const granularity = endpoint.filters?.[field];
    return granularity ? rangeOf(field, granularity, dateZone, given.get(field)) : always;
  };
  const filter = new URLSearchParams(params);
  filter.delete('page_size');
  filter.delete('after');
  const { choices = [], parent, child } = endpoint;
  return {
    pageSize: pageSizeOf(endpoint, scalar(given, 'page_size')),
    after: scalar(given, 'after'),
    order: orderOf(endpoint, scalar(given, 'sort_by')) ?? order,
    created: range('created_at'),
    updated: range('updated_at'),
    isChosen: new Map(
      choices.map((choice) => [choice, chosenBy(choice, given.get(choice.param), valuesOf(choice))]),
    ),
    parentId: parent?.filter && scalar(given, parent.column),
    asked: child && askedOf(child, (name) => scalar(given, name), placeholders),
    filter: filter.toString(),
  };
}

function group(
  { paging, filters, choices, parent, child, isSortable, ignored }: Endpoint,
  params: URLSearchParams,
): Given {
  const names = new Set([
    ...(paging ? ['page_size', 'after'] : []),
    ...Object.keys(filters ?? {}),
    ...(choices ?? []).map(({ param }) => param),
    ...(parent?.filter ? [parent.column] : []),
    ...(child ? paramsOf(child) : []),
    ...(isSortable ? ['sort_by'] : []),
    ...(ignored ?? []),
  ]);
  const given: Given = new Map();
  for (const [key, value] of params) {
    const [, name = '', operator = ''] = /^([a-z_]+)(?:\[([a-z_]+)\])?$/.exec(key) ?? [];
    if (!names.has(name)) throw invalid(key, `${key} is not a parameter of this endpoint`);
    const operators = given.get(name) ?? new Map<string, string[]>();
    given.set(name, operators);
    operators.set(operator, [...(operators.get(operator) ?? []), value]);
  }
  return given;
}

function scalar(given: Given, name: string): string | undefined {
  const operators = given.get(name);
  if (operators === undefined) return undefined;
  const values = operators.get('');
  if (operators.size > 1 || values?.length !== 1) throw invalid(name, `${name} takes one plain value`);
  return values[0];
}

function orderOf(
  { isSortable, isOrdered }: Endpoint,
  sortBy: string | undefined,
): Query['order'] | undefined {
  if (!isSortable) return isOrdered && 'oldest';
  const name = sortBy ?? 'created_at_newest_first';
  if (!Object.hasOwn(sortOrders, name)) throw invalid('sort_by', `sort_by cannot be ${name}`);
  return sortOrders[name as keyof typeof sortOrders];
}

function pageSizeOf({ paging }: Endpoint, text: string | undefined): number | undefined {
  if (paging === undefined) return undefined;
  if (text === undefined) {
    if (paging.isRequired) throw invalid('page_size', 'page_size is missing from query string');
    return 25;
  }
  const size = Number(text);
  if (!/^\d+$/.test(text) || size < 1)
    throw invalid('page_size', 'page_size must be a whole number, 1 or more');
  if (size > paging.max) throw invalid('page_size', `page_size must be lesser or equal than ${paging.max}`);
  return Math.min(size, paging.served ?? paging.max);
}

function rangeOf(
  name: string,
  granularity: TimestampFilter['granularity'],
  dateZone: string,
  operators: Map<string, string[]> | undefined,
): Range {
  if (operators === undefined) return always;
  if (operators.size > 1) throw invalid(name, `${name} takes one operator: use date_range`);
  const [[operator, values] = ['', []]] = operators;
  const [text = ''] = values;
  const moment = (text: string) => momentIn(name, text, dateZone);
  if (values.length !== 1) throw invalid(name, `${name}[${operator}] takes one value`);
  if (operator === 'gte') return { ...always, from: moment(text) };
  // A bare date means the first instant of that day, not all of it.
  if (operator === 'lte') return { ...always, before: moment(text) + halfMicrosecond };
  if (operator !== 'date_range') throw invalid(name, `${name} has no operator ${operator}`);

  const [start = '', end = '', ...more] = text.split('~');
  if (more.length > 0 || end === '') throw invalid(name, `${name}[date_range] must be start~end`);
  if (granularity === 'day' && !(bareDate.test(start) && bareDate.test(end))) {
    throw invalid(name, 'Filter field date_range must provide a date in the format yyyy-mm-dd');
  }
  const from = moment(start);
  const before = moment(end) + (granularity === 'day' ? dayMs : 0);
  if (before < from) throw invalid(name, `${name}[date_range] ends before it starts`);
  return { from, before };
}

function momentIn(name: string, text: string, dateZone: string): number {
  const whole = bareDate.test(text) ? `${text}T00:00:00${dateZone}` : text;
  const ms = instant.test(whole) ? Date.parse(whole) : Number.NaN;
  if (Number.isNaN(ms)) throw invalid(name, `${name} must be a date or an RFC 3339 timestamp`);
  // Date.parse would read 31 February as 3 March.
  if (new Date(`${text.slice(0, 10)}T00:00:00Z`).toISOString().slice(0, 10) !== text.slice(0, 10)) {
    throw invalid(name, `${name}: there is no such day`);
  }
  return ms;
}

function chosenBy(
  { param, operators, hidden, reveals }: Choice,
  given: Map<string, string[]> | undefined,
  allowed: readonly string[],
): (value: string) => boolean {
  const isShown = (value: string) => !hidden.includes(value);
  if (given === undefined) return isShown;
  const [[operator, values] = ['', []]] = given;
  if (given.size > 1) throw invalid(param, `${param} takes one operator`);
  if (!operators.includes(operator)) {
    throw invalid(param, `${param} takes the operators ${operators.map((name) => `[${name}]`).join(', ')}`);
  }
  const takesMany = operator === 'one_of' || operator === 'not_in';
  if (!takesMany && values.length !== 1) throw invalid(param, `${param} takes one value`);
  const unknown = values.find((value) => !allowed.includes(value));
  if (unknown !== undefined) throw invalid(param, `${param} cannot be ${unknown}`);
  if (reveals !== undefined) return values[0] === reveals ? () => true : isShown;
  const set = new Set(values);
  return operator === 'not_in' ? (value) => !set.has(value) : (value) => set.has(value);
}
