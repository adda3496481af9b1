/** A record as the API serves it. `undefined` values are left out of the JSON. */
export type ApiRecord = Record<string, unknown>;

/** What the endpoints filter by. */
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

/** The invented rows of one table. Every method is a pure function of seed, sizes and row number. */
export type Source = {
  readonly count: number;
  /** Whether `created` rises with the row number. */
  readonly rising: boolean;
  id(index: number, created?: number): string;
  /** The row number in an id, unverified. */
  indexOf(id: string): number;
  created(index: number): number;
  updated(index: number): number;
  /** `created` moves a row that is made up later than the others to its own moment. */
  record(index: number, created?: number): ApiRecord;
  /** The rest of what the endpoint filters by. */
  facets(index: number): Omit<Facts, 'created' | 'updated'>;
};

/** How much of each table is made up. The other five are lists every account has. */
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
