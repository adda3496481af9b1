/** The parameters a list may take, by the API's names. */
export type Parameter =
  | 'created_at'
  | 'updated_at'
  | 'mode'
  | 'status_category'
  | 'incident_mode'
  | 'incident_id'
  | 'include_inactive'
  | 'sort_by';

export type Endpoint = {
  readonly path: string;
  readonly scope: string;
  /** If left out, the endpoint returns the whole list at once. */
  readonly paging?: {
    readonly max: number;
    /** A larger page is silently cut down to this. */
    readonly served?: number;
    readonly isRequired?: true;
    readonly givesTotal?: true;
  };
  readonly parameters: readonly Parameter[];
  /** The documented order is oldest first. If no order is documented, it may be any. */
  readonly isOrdered?: true;
  /** `date`: whole UTC days, both ends included. `instant`: milliseconds, the end excluded. */
  readonly granularity?: 'date' | 'instant';
};

/** The list endpoints, by the key that holds their records. */
export const endpoints = {
  incidents: {
    path: '/v2/incidents',
    scope: 'incidents.view',
    paging: { max: 500, served: 250, givesTotal: true },
    parameters: ['created_at', 'updated_at', 'mode', 'status_category', 'sort_by'],
    granularity: 'date',
  },
  incident_updates: {
    path: '/v2/incident_updates',
    scope: 'incidents.view',
    paging: { max: 250 },
    parameters: ['incident_id'],
  },
  follow_ups: {
    path: '/v3/follow_ups',
    scope: 'actions.view',
    paging: { max: 250 },
    parameters: ['created_at', 'updated_at', 'incident_mode', 'incident_id'],
    isOrdered: true,
    granularity: 'instant',
  },
  alerts: {
    path: '/v2/alerts',
    scope: 'alerts.view',
    paging: { max: 50, isRequired: true },
    parameters: ['created_at', 'updated_at'],
    granularity: 'instant',
  },
  escalations: {
    path: '/v2/escalations',
    scope: 'escalations.view',
    paging: { max: 50 },
    parameters: ['created_at', 'updated_at'],
    granularity: 'date',
  },
  users: {
    path: '/v2/users',
    scope: 'users.view',
    paging: { max: 10_000 },
    parameters: ['include_inactive'],
  },
  schedules: {
    path: '/v2/schedules',
    scope: 'schedules.view',
    paging: { max: 10_000, givesTotal: true },
    parameters: [],
  },
  severities: { path: '/v1/severities', scope: 'severities.view', parameters: [] },
  incident_roles: { path: '/v2/incident_roles', scope: 'incident_roles.view', parameters: [] },
  incident_statuses: { path: '/v1/incident_statuses', scope: 'incident_statuses.view', parameters: [] },
  incident_types: { path: '/v1/incident_types', scope: 'incident_types.view', parameters: [] },
  custom_fields: { path: '/v2/custom_fields', scope: 'custom_fields.view', parameters: [] },
} as const satisfies Record<string, Endpoint>;

export type SandboxTable = keyof typeof endpoints;

/** The tables the sandbox serves. */
export const sandboxTables = Object.keys(endpoints) as readonly SandboxTable[];

/** The table served at a path. */
export function tableAt(path: string): SandboxTable | undefined {
  return sandboxTables.find((table) => endpoints[table].path === path);
}
