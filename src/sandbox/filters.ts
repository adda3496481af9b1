import type { Endpoint, Parameter } from './endpoints.ts';
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
  readonly modes: ReadonlySet<string>;
  /** If the request names none, those that the endpoint shows by default. */
  readonly categories: { readonly oneOf?: ReadonlySet<string>; readonly notIn?: ReadonlySet<string> };
  readonly incidentId: string | undefined;
  readonly includesInactive: boolean;
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
const hiddenCategories = new Set(['declined', 'canceled', 'merged']);
const incidentModes = ['standard', 'retrospective', 'test', 'tutorial'];
const followUpModes = [...incidentModes, 'stream'];
const shownModes = new Set(['standard', 'retrospective']);
const always: Range = { from: -Infinity, before: Infinity };

type Given = Map<string, Map<string, string[]>>;

/** Reads a query string as the endpoint would. Throws a 422 for an unknown parameter or an invalid value. */
export function parseQuery(
  endpoint: Endpoint,
  params: URLSearchParams,
  { dateZone, order }: Readings,
  knownCategories: () => readonly string[],
): Query {
  const given = group(endpoint, params);
  const allows = (name: Parameter) => endpoint.parameters.includes(name);
  const range = (name: 'created_at' | 'updated_at') =>
    endpoint.granularity === undefined
      ? always
      : rangeOf(name, endpoint.granularity, dateZone, given.get(name));
  const sortBy = scalar(given, 'sort_by') ?? 'created_at_newest_first';
  const sorts = { created_at_newest_first: 'newest', created_at_oldest_first: 'oldest' } as const;
  if (!Object.hasOwn(sorts, sortBy)) throw invalid('sort_by', `sort_by cannot be ${sortBy}`);
  const after = scalar(given, 'after');
  const filter = new URLSearchParams(params);
  filter.delete('page_size');
  filter.delete('after');

  return {
    pageSize: pageSizeOf(endpoint, scalar(given, 'page_size')),
    after,
    order: allows('sort_by') ? sorts[sortBy as keyof typeof sorts] : endpoint.isOrdered ? 'oldest' : order,
    created: range('created_at'),
    updated: range('updated_at'),
    modes: modesOf(given, allows('incident_mode')),
    categories: categoriesOf(given, knownCategories),
    incidentId: scalar(given, 'incident_id'),
    includesInactive: flag('include_inactive', scalar(given, 'include_inactive')),
    filter: filter.toString(),
  };
}

function group(endpoint: Endpoint, params: URLSearchParams): Given {
  const names = new Set<string>([
    ...endpoint.parameters,
    ...(endpoint.paging === undefined ? [] : ['page_size', 'after']),
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

function flag(name: string, text: string | undefined): boolean {
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw invalid(name, `${name} must be true or false`);
}

function pageSizeOf({ paging }: Endpoint, text: string | undefined): number | undefined {
  if (paging === undefined) return undefined;
  if (text === undefined) {
    if (paging.isRequired) throw invalid('page_size', 'page_size is missing from query string');
    return 25;
  }
  const size = Number(text);
  if (!/^\d+$/.test(text) || size < 1)
    throw invalid('page_size', 'page_size must be a whole number from 1 on');
  if (size > paging.max) throw invalid('page_size', `page_size must be lesser or equal than ${paging.max}`);
  return Math.min(size, paging.served ?? paging.max);
}

function rangeOf(
  name: string,
  granularity: 'date' | 'instant',
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
  if (granularity === 'date' && !(bareDate.test(start) && bareDate.test(end))) {
    throw invalid(name, 'Filter field date_range must provide a date in the format yyyy-mm-dd');
  }
  const from = moment(start);
  const before = moment(end) + (granularity === 'date' ? dayMs : 0);
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

function modesOf(given: Given, isSingle: boolean): ReadonlySet<string> {
  if (isSingle) {
    const mode = scalar(given, 'incident_mode');
    if (mode === undefined) return shownModes;
    return oneOf('incident_mode', [mode], followUpModes);
  }
  const operators = given.get('mode');
  if (operators === undefined) return shownModes;
  const values = operators.get('one_of');
  if (operators.size > 1 || values === undefined) throw invalid('mode', 'mode has one operator, one_of');
  return oneOf('mode', values, incidentModes);
}

function categoriesOf(given: Given, known: () => readonly string[]): Query['categories'] {
  const operators = given.get('status_category');
  if (operators === undefined) return { notIn: hiddenCategories };
  const [[operator, values] = ['', []]] = operators;
  if (operators.size > 1) throw invalid('status_category', 'status_category takes one operator');
  const set = oneOf('status_category', values, known());
  if (operator === 'one_of') return { oneOf: set };
  if (operator === 'not_in') return { notIn: set };
  throw invalid('status_category', 'status_category has the operators one_of and not_in');
}

function oneOf(name: string, values: readonly string[], allowed: readonly string[]): ReadonlySet<string> {
  const odd = values.find((value) => !allowed.includes(value));
  if (odd !== undefined) throw invalid(name, `${name} cannot be ${odd}`);
  return new Set(values);
}
