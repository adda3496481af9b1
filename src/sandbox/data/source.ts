/** A record as the API serves it. Fields that are `undefined` are not sent. */
export type ApiRecord = Record<string, unknown>;

/** What the endpoints filter a row by. */
export type Facts = {
  /** Milliseconds since the epoch, with microseconds as a fraction. NaN if the record has no such time. */
  readonly created: number;
  readonly updated: number;
  /** Everything else, such as `mode` and `incident_id`. */
  readonly values: Facets;
};

export type Facets = { readonly [name: string]: string };

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
  /** The short copy of a row that other rows embed. */
  slim?(index: number): ApiRecord | undefined;
  /** What the endpoint filters by, besides times. */
  facets?(index: number): Facets;
  /** Where a record holds its facets, so that they follow its changes. */
  readonly facetPaths?: { readonly [name: string]: readonly string[] };
};

/** How many rows each table has. */
export type Sizes = { readonly [table: string]: number };

export type Span = { readonly since: number; readonly until: number };

/** The value at a path of nested fields; `undefined` if the path ends early. */
export function fieldAt(record: ApiRecord, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, field) => (typeof value === 'object' && value !== null ? (value as ApiRecord)[field] : undefined),
    record,
  );
}
