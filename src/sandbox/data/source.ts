/** A record as the API serves it. Fields that are `undefined` are not sent. */
export type ApiRecord = Record<string, unknown>;

/** What the endpoints filter a row by. */
export type Facts = {
  /** Milliseconds since the epoch, with microseconds as a fraction. */
  readonly created: number;
  readonly updated: number;
  readonly mode?: string;
  readonly category?: string;
  readonly isPrivate?: boolean;
  readonly isActive?: boolean;
  readonly incidentId?: string;
};

/** The generated rows of one table. Every method depends only on its arguments, the seed and the sizes. */
export type Source = {
  readonly count: number;
  /** Whether rows with a higher number were created later. */
  readonly rising: boolean;
  id(index: number, created?: number): string;
  /** The row number in an id. Not checked: the row may not exist, or have another id. */
  indexOf(id: string): number;
  created(index: number): number;
  updated(index: number): number;
  /** `created` overrides when the row was created, for rows that are added while the sandbox runs. */
  record(index: number, created?: number): ApiRecord;
  /** What else the endpoint filters by. */
  facets(index: number): Omit<Facts, 'created' | 'updated'>;
};

/** How many rows each table has. The other five are short lists that every account has. */
export type Sizes = {
  readonly incidents: number;
  readonly incident_updates: number;
  readonly follow_ups: number;
  readonly alerts: number;
  readonly escalations: number;
  readonly users: number;
  readonly schedules: number;
};

export type Span = { readonly since: number; readonly until: number };
