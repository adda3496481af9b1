import type { Table, TimestampField, TimestampFilter } from '../tables/table.ts';
import type { Limit } from './buckets.ts';
import { type Child, childOf } from './children.ts';

/** A parameter that selects rows by a value each of them has. */
export type Choice = {
  readonly param: string;
  /** How values are given: `one_of` for `mode[one_of]=test`, an empty text for `incident_mode=test`. */
  readonly operators: readonly string[];
  /** The values that a request may name. */
  readonly values: readonly string[];
  /** More values: those of a field in another list. */
  readonly moreFrom?: { readonly table: string; readonly field: string };
  /** Rows with these values are left out if the request does not have the parameter. */
  readonly hidden: readonly string[];
  /** The parameter is a switch: with this value it reveals all rows, with any other it does nothing. */
  readonly reveals?: string;
  /** A row that has no value of its own has its parent's value of this choice. */
  readonly ofParent?: string;
};

/** The row that another row belongs to, such as its incident. */
export type Parent = {
  /** The row's column that holds the parent's id. */
  readonly column: string;
  readonly table: string;
  /** The list takes the column as a parameter; `must exist`: a parent that does not exist is a 404. */
  readonly filter?: 'may be missing' | 'must exist';
};

/** How the API serves one list. */
export type Endpoint = {
  readonly path: string;
  /** The key of the response that holds the records. */
  readonly records: string;
  /** If left out, any key may read the list. */
  readonly scope?: string;
  /** If left out, the endpoint returns the whole list at once. */
  readonly paging?: {
    readonly max: number;
    /** A larger page is silently cut down to this. */
    readonly served?: number;
    readonly isRequired?: true;
    readonly givesTotal?: true;
    /** A field that comes back empty on pages larger than this. */
    readonly emptyAbove?: { readonly [field: string]: number };
  };
  /** A rate limit of its own, besides the key's. */
  readonly bucket?: Limit;
  /** `day`: whole UTC days, both ends included. `millisecond`: the end excluded. */
  readonly filters?: { readonly [F in TimestampField]?: TimestampFilter['granularity'] };
  readonly choices?: readonly Choice[];
  readonly parent?: Parent;
  /** It answers for one row of another table at a time. */
  readonly child?: Child;
  /** It takes `sort_by`. */
  readonly isSortable?: true;
  /** Parameters it accepts that change nothing in the sandbox. */
  readonly ignored?: readonly string[];
  /** The documented order is oldest first. If no order is documented, it may be any. */
  readonly isOrdered?: true;
};

export const sortOrders = { created_at_newest_first: 'newest', created_at_oldest_first: 'oldest' } as const;

const incidentModes = ['standard', 'retrospective', 'test', 'tutorial'];
const byDay = { created_at: 'day', updated_at: 'day' } as const;
const byMillisecond = { created_at: 'millisecond', updated_at: 'millisecond' } as const;
const ofIncident = { column: 'incident_id', table: 'incidents' } as const;

/** What the API really does, so that a wrong declaration of one of these tables is not served as declared. */
const known: { readonly [table: string]: Endpoint } = {
  incidents: {
    path: '/v2/incidents',
    records: 'incidents',
    scope: 'incidents.view',
    paging: { max: 500, served: 250, givesTotal: true },
    bucket: { capacity: 60, perSecond: 1 },
    filters: byDay,
    choices: [
      { param: 'mode', operators: ['one_of'], values: incidentModes, hidden: ['test', 'tutorial'] },
      {
        param: 'status_category',
        operators: ['one_of', 'not_in'],
        values: ['triage', 'live', 'learning', 'paused', 'closed', 'declined', 'canceled', 'merged'],
        moreFrom: { table: 'incident_statuses', field: 'category' },
        hidden: ['declined', 'canceled', 'merged'],
      },
    ],
    isSortable: true,
  },
  incident_updates: {
    path: '/v2/incident_updates',
    records: 'incident_updates',
    scope: 'incidents.view',
    paging: { max: 250 },
    parent: { ...ofIncident, filter: 'must exist' },
  },
  follow_ups: {
    path: '/v3/follow_ups',
    records: 'follow_ups',
    scope: 'actions.view',
    paging: { max: 250 },
    filters: byMillisecond,
    choices: [
      {
        param: 'incident_mode',
        operators: [''],
        values: [...incidentModes, 'stream'],
        hidden: ['test', 'tutorial', 'stream'],
        ofParent: 'mode',
      },
    ],
    parent: { ...ofIncident, filter: 'may be missing' },
    isOrdered: true,
  },
  alerts: {
    path: '/v2/alerts',
    records: 'alerts',
    scope: 'alerts.view',
    paging: { max: 50, isRequired: true },
    filters: byMillisecond,
  },
  escalations: {
    path: '/v2/escalations',
    records: 'escalations',
    scope: 'escalations.view',
    paging: { max: 50 },
    filters: byDay,
  },
  users: {
    path: '/v2/users',
    records: 'users',
    scope: 'users.view',
    paging: { max: 10_000 },
    choices: [
      // Its values are those of is_active.
      {
        param: 'include_inactive',
        operators: [''],
        values: ['true', 'false'],
        hidden: ['false'],
        reveals: 'true',
      },
    ],
  },
  schedules: {
    path: '/v2/schedules',
    records: 'schedules',
    scope: 'schedules.view',
    paging: { max: 10_000, givesTotal: true, emptyAbove: { next_shifts: 25 } },
  },
  severities: { path: '/v1/severities', records: 'severities', scope: 'severities.view' },
  incident_roles: { path: '/v2/incident_roles', records: 'incident_roles', scope: 'incident_roles.view' },
  incident_statuses: {
    path: '/v1/incident_statuses',
    records: 'incident_statuses',
    scope: 'incident_statuses.view',
  },
  incident_types: { path: '/v1/incident_types', records: 'incident_types', scope: 'incident_types.view' },
  custom_fields: { path: '/v2/custom_fields', records: 'custom_fields', scope: 'custom_fields.view' },
};

/** How a table's list is served: as known, or else as declared. `tables` are all tables that are served. */
export function endpointOf(table: Table, tables: readonly Table[]): Endpoint {
  return known[table.name] ?? declaredEndpoint(table, tables);
}

function declaredEndpoint(table: Table, tables: readonly Table[]): Endpoint {
  const { path, records, scope, paging, bucket, filters = {}, query = {}, counted } = table;
  const isOfIncident = 'incident_id' in table.columns && tables.some(({ name }) => name === 'incidents');
  const parent = isOfIncident ? ofIncident : undefined;
  const child = childOf(table, tables);
  const params = Object.entries(query);
  const isSortable = params.some(([name, value]) => name === 'sort_by' && value in sortOrders);
  return {
    path,
    records,
    ...(scope !== undefined && { scope }),
    ...(paging.kind === 'pages' && {
      paging: { max: paging.pageSize, ...(counted && { givesTotal: true }) },
    }),
    ...(bucket && { bucket }),
    filters: Object.fromEntries(
      Object.entries(filters).map(([field, { granularity }]) => [field, granularity]),
    ),
    choices: choicesOf(table, tables, parent),
    ...(parent && { parent }),
    ...(child && { child }),
    ...(isSortable && { isSortable }),
    ignored: params
      .map(([name]) => partsOf(name).param)
      .filter((name) => !(isSortable && name === 'sort_by')),
  };
}

/** What a declared table reveals and how it is passed over. Which rows are hidden is invented: about half of the values. */
function choicesOf(table: Table, tables: readonly Table[], parent: Parent | undefined): Choice[] {
  const { reveals = [], passes } = table;
  const later = (values: readonly string[]) => values.slice(Math.ceil(values.length / 2));
  const revealed = reveals.map(({ param: name, values, moreFrom }): Choice => {
    const { param, operator } = partsOf(name);
    const [only = ''] = values;
    if (values.length === 1) {
      const accepted = only === 'true' ? ['true', 'false'] : [only];
      return { param, operators: [operator], values: accepted, hidden: ['hidden'], reveals: only };
    }
    const source = moreFrom && tables.find(({ path }) => path === moreFrom.path);
    return {
      param,
      operators: [operator],
      values,
      hidden: later(values),
      ...(source && { moreFrom: { table: source.name, field: moreFrom.field } }),
    };
  });
  if (!passes) return revealed;
  // `incident_mode` is the mode of the row's incident, if it has one.
  const prefix = parent?.column.replace(/id$/, '');
  const ofParent = prefix && passes.param.startsWith(prefix) ? passes.param.slice(prefix.length) : undefined;
  const { param, values } = passes;
  const hidden = later(values);
  return [...revealed, { param, operators: [''], values, hidden, ...(ofParent && { ofParent }) }];
}

/** A parameter as it is declared, `mode[one_of]`, in its parts. */
function partsOf(name: string): { readonly param: string; readonly operator: string } {
  const [, param = name, operator = ''] = /^([a-z_]+)\[([a-z_]+)\]$/.exec(name) ?? [];
  return { param, operator };
}
