/** A record as the API sent it: a JSON object whose shape only its table's columns describe. */
export type ApiRecord = { readonly [field: string]: unknown };

/**
 * The type of a column.
 * `text` is also for ids and enums (the vendor calls new values and longer ids non-breaking) ·
 * `timestamp` UTC, microseconds · `bigint` 64-bit integer · `json` a nested value as JSON text.
 */
export type ColumnType = 'text' | 'timestamp' | 'boolean' | 'double' | 'bigint' | 'json';

/** The fields that lead to a nested value: `['creator', 'user', 'id']`. */
export type FieldPath = readonly [string, ...string[]];

/** One warehouse column. */
export type Column = {
  readonly type: ColumnType;
  /** For analysts. */
  readonly description: string;
  /** Holds, or may hold, data about a person (name, address, free text that people write). */
  readonly personal?: true;
  /** For `json`: the nested value is a list; if left out, an object. */
  readonly list?: true;
  /** Where the value is inside a nested object; if left out, it is the record's field of the same name. */
  readonly from?: FieldPath;
  /** For a text that a record may lack: it is then made of the values of these columns, with spaces between them. */
  readonly orFrom?: readonly [string, ...string[]];
  /** The vendor's reference lists the field as required: a record without it, or with null, is reported. */
  readonly required?: true;
  /**
   * Moves by itself, such as the time of a check that runs every hour: a change of this column alone is not a change
   * of the row, or every sync would write the whole table again.
   */
  readonly volatile?: true;
};

/** How the endpoint returns its records. `pageSize` is the largest one that leaves no field empty. */
export type Paging = { readonly kind: 'single' } | { readonly kind: 'pages'; readonly pageSize: number };

/**
 * How the endpoint interprets `<field>[gte]`, `[lte]` and `[date_range]`.
 * `day` takes bare UTC dates, both ends inclusive · `millisecond` takes RFC 3339, end exclusive.
 * `verified: false`: assumed from the endpoint's other field, so neighbouring windows overlap by one unit.
 */
export type TimestampFilter = { readonly granularity: 'day' | 'millisecond'; readonly verified: boolean };

export type TimestampField = 'updated_at' | 'created_at';
export type SyncMethod = 'full_refresh' | 'incremental';

/** How a table is kept current by reading changes only; it is then the table's default. */
export type Incremental = {
  /** The fields to go by, the default first. Each needs a filter. */
  readonly by: readonly [TimestampField, ...TimestampField[]];
  /** How often, by default, the whole table is read anyway: only that removes deleted rows. */
  readonly fullReadEvery: '24h' | '7d';
};

/**
 * A parameter that makes the API return rows that it hides by default, with all its values.
 * `moreFrom`: a list from which values that the vendor adds later are read; without it their rows would stay hidden.
 */
export type Reveal = {
  readonly param: string;
  readonly values: readonly string[];
  readonly moreFrom?: {
    readonly path: `/v${number}/${string}`;
    readonly records: string;
    readonly field: string;
  };
};

/**
 * A revealing parameter that accepts one value per request, so the table is read once per value (a "pass").
 * The rows do not say which pass returned them, so `column` records it.
 */
export type Passes = { readonly param: string; readonly values: readonly string[]; readonly column: string };

/** An endpoint that answers for a window of time: how far the window reaches from the time of the run. */
export type TimeWindow = {
  /** The parameters for the start and the end of the window. */
  readonly from: string;
  readonly to: string;
  readonly daysBack: number;
  readonly daysAhead: number;
  /** The days back at the first read. */
  readonly firstDaysBack: number;
  /** The columns with a row's start and end. A run replaces rows that overlap its window; others stay as history. */
  readonly columns: { readonly start: string; readonly end: string };
};

/** A condition on the parent's row: its column, or the field inside it, has one of these values. */
export type ParentCondition = {
  readonly column: string;
  /** The field inside a column of nested values. */
  readonly path?: readonly [string, ...string[]];
  /** `null` stands for a parent without a value there. */
  readonly oneOf: readonly (string | boolean | null)[];
};

/** How a child is read parent by parent: its endpoint lists the rows of one row of another table at a time. */
export type Parent = {
  /** The name of the parent's table. */
  readonly table: string;
  /** How a request names the parent: a parameter or a placeholder `{name}` of the path, set from the parent's column. */
  readonly params: readonly {
    readonly name: string;
    readonly in: 'query' | 'path';
    readonly column: string;
  }[];
  /** The child's columns that are set from the parent's row, with the parent's column. They identify a row's parent. */
  readonly columns: { readonly [column: string]: string };
  /** Only these parents can have children; no request is made for others. */
  readonly where?: readonly ParentCondition[];
  /** The children of these parents may change although the parent does not, so they are read in every run. */
  readonly open?: readonly ParentCondition[];
};

/** What a table is about. Commands list the tables by group. */
export const groups = [
  'Incidents',
  'Alerts',
  'On-call',
  'Status pages',
  'Catalog',
  'People',
  'Configuration',
  'Security',
] as const;
export type Group = (typeof groups)[number];

/** A table as the warehouse keeps it and as rows are made for it, wherever the rows come from. */
export type TableShape = {
  readonly name: string;
  /** One sentence for an analyst. */
  readonly description: string;
  /** The columns that together identify a row. */
  readonly primaryKey: readonly [string, ...string[]];
  readonly columns: { readonly [column: string]: Column };
  readonly passes?: Passes;
  /** The rows are in several lists of one object, under these names; `column` records the name. */
  readonly lists?: { readonly names: readonly string[]; readonly column: string };
  /** Columns whose value is next to the records, once per answer, with the path to it. */
  readonly fromAnswer?: { readonly [column: string]: readonly [string, ...string[]] };
  /** Fields that never leave the answer they came in: `token`, or `images[].url` within a list. */
  readonly secrets?: readonly string[];
};

/** One table: its endpoint, how that is paged, how the table is kept current, its key and its columns. */
export type Table = TableShape & {
  readonly group: Group;
  /**
   * When the table is selected. Left out: by default · `all`: only with all tables, since it is costly or of use to
   * few · `name`: only if it is named, since it holds personal or security data.
   */
  readonly selectedBy?: 'all' | 'name';
  readonly path: `/v${number}/${string}`;
  /** The key of the response under which the array of records is. */
  readonly records: string;
  /** The scope that an API key needs; a 403 names it. If left out, any key may read the table. */
  readonly scope?: string;
  readonly paging: Paging;
  /** The endpoint's own token bucket, in addition to the key's (1,200 tokens, refilled at 20 per second). */
  readonly bucket?: { readonly capacity: number; readonly perSecond: number };
  /** Parameters sent with every request, such as the order. */
  readonly query?: { readonly [param: string]: string };
  readonly reveals?: readonly Reveal[];
  /** The timestamps that the endpoint can filter by. */
  readonly filters?: { readonly [F in TimestampField]?: TimestampFilter };
  /** If left out, every sync of the table is a full refresh. */
  readonly incremental?: Incremental;
  /** How the table is read parent by parent; if left out, it has a list of its own. */
  readonly parent?: Parent;
  /**
   * A table with a list of its own that also answers for one parent at a time: an incremental sync reads the parents
   * that changed, if those are fewer requests than the whole list.
   */
  readonly changesBy?: Parent;
  /** The endpoint answers for a window of time; its cursor is the time at which the next answer begins. */
  readonly timeWindow?: TimeWindow;
  /** A full read of many pages is split into windows by this field, which never changes, and read side by side. */
  readonly splitBy?: 'created_at';
  /** The endpoint returns `total_record_count`. */
  readonly counted?: true;
  /**
   * The webhook events that say that a row of the table changed, without their version (`_v2`). Left out if there are
   * none, or if a run costs too much to follow each of them: the table then waits for its schedule.
   */
  readonly events?: readonly string[];
  /** The default sync frequency, if it is not that of the sync method: configuration rarely changes. */
  readonly every?: '24h';
};

/**
 * Has the compiler check a declaration. It refuses an incremental field or a split without a filter, a key column or a
 * pass column that is not declared, and a value taken from inside a field that is not declared.
 */
export function defineTable<const T extends Table>(
  table: T & {
    readonly incremental?: { readonly by: readonly (keyof T['filters'] & TimestampField)[] };
    readonly splitBy?: keyof T['filters'];
    readonly primaryKey: readonly (keyof T['columns'])[];
    readonly passes?: { readonly column: keyof T['columns'] };
    readonly columns: {
      readonly [C in keyof T['columns']]: {
        readonly from?: readonly [keyof T['columns'], string, ...string[]];
      };
    };
  },
): T {
  return table;
}

/** The sync methods that a table offers, the default first. */
export function syncMethodsOf(table: Table): readonly [SyncMethod, ...SyncMethod[]] {
  return table.incremental || readsByChange(table) ? ['incremental', 'full_refresh'] : ['full_refresh'];
}

/** Whether an incremental sync of a table reads the parents that may have changed, and no others. */
export function readsByChange({ parent, changesBy }: Table): boolean {
  return parent?.open !== undefined || changesBy !== undefined;
}

/** The fields that an incremental sync of a table can go by, the default first; empty if it offers no such sync. */
export function incrementalFieldsOf({ incremental }: Table): readonly TimestampField[] {
  return incremental?.by ?? [];
}

/** The value inside nested objects; `undefined` if the path ends early. */
export function valueAt(record: ApiRecord, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, field) => (typeof value === 'object' && value !== null ? (value as ApiRecord)[field] : undefined),
    record,
  );
}

/** The declared column types as canonical JSON. If a table's stored types differ, the whole table is read. */
export function declaredTypes(table: Pick<TableShape, 'columns'>): string {
  return JSON.stringify(Object.entries(table.columns).map(([name, { type }]) => [name, type]));
}
