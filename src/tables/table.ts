/** A record as the API sent it: a JSON object whose shape only its table's columns know. */
export type ApiRecord = { readonly [field: string]: unknown };

/**
 * What a column holds.
 * `text` also for ids and enums (the vendor calls new values and longer ids non-breaking) ·
 * `timestamp` UTC, microseconds · `bigint` 64-bit integer · `json` a nested value as JSON text.
 */
export type ColumnType = 'text' | 'timestamp' | 'boolean' | 'double' | 'bigint' | 'json';

/** The fields to go down through: `['creator', 'user', 'id']`. */
export type FieldPath = readonly [string, string, ...string[]];

/** One warehouse column. */
export type Column = {
  readonly type: ColumnType;
  /** For the analyst who queries it. */
  readonly description: string;
  /** Holds or may hold data about a person (name, address, free text people write). */
  readonly personal?: true;
  /** Where the value is in nested objects, if it is not the record's field of the same name: see `valueAt`. */
  readonly from?: FieldPath;
  /** The vendor's reference lists the field as required: a record without it, or with null in it, is reported. */
  readonly required?: true;
};

/** How the endpoint hands out its records. `pageSize` is the largest that leaves no field empty. */
export type Paging = { readonly kind: 'single' } | { readonly kind: 'pages'; readonly pageSize: number };

/**
 * How the endpoint reads `<field>[gte]`, `[lte]` and `[date_range]`.
 * `day` takes bare UTC dates, both ends inclusive · `millisecond` takes RFC 3339, end exclusive.
 * `verified: false`: assumed from the endpoint's other field; neighbouring windows then overlap by one unit.
 */
export type TimestampFilter = { readonly granularity: 'day' | 'millisecond'; readonly verified: boolean };

export type TimestampField = 'updated_at' | 'created_at';
export type SyncMethod = 'full_refresh' | 'incremental';

/** How a table is kept current by its changes, which is then its default. */
export type Incremental = {
  /** The fields to go by, the default first. Each needs a filter. */
  readonly by: readonly [TimestampField, ...TimestampField[]];
  /** How often the whole table is read anyway by default, so that deleted rows go. */
  readonly fullReadEvery: '24h' | '7d';
};

/**
 * A parameter that has the API return rows it hides by default, with every value of it.
 * `moreFrom`: values added later by the vendor are read from another list, or they would vanish silently.
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
 * A revealing parameter that takes one value a request: the table is read in one pass a value.
 * The rows do not say which pass they came in, so `column` keeps it.
 */
export type Passes = { readonly param: string; readonly values: readonly string[]; readonly column: string };

/** One table: where it is, how it is paged, how it is kept current, what identifies a row, what is in it. */
export type Table = {
  readonly name: string;
  /** One sentence for an analyst. */
  readonly description: string;
  readonly path: `/v${number}/${string}`;
  /** The response's key that holds the array of records. */
  readonly records: string;
  /** The scope a key needs; the 403 names it. Left out, any key may read the table. */
  readonly scope?: string;
  readonly paging: Paging;
  /** A token bucket of the endpoint's own, beside the key's 1,200 refilled at 20 a second. */
  readonly bucket?: { readonly capacity: number; readonly perSecond: number };
  /** Parameters sent with every request, such as the order. */
  readonly query?: { readonly [param: string]: string };
  readonly reveals?: readonly Reveal[];
  readonly passes?: Passes;
  /** The timestamps the endpoint can filter by. */
  readonly filters?: { readonly [F in TimestampField]?: TimestampFilter };
  /** Left out, every sync of the table is a full refresh. */
  readonly incremental?: Incremental;
  /** A full read of many pages is split into windows by this field, which never changes, and read side by side. */
  readonly splitBy?: 'created_at';
  /** The endpoint gives `total_record_count`. */
  readonly counted?: true;
  /** The columns that together identify a row. */
  readonly primaryKey: readonly [string, ...string[]];
  readonly columns: { readonly [column: string]: Column };
};

/**
 * Checks a declaration as it is written. These do not compile: an incremental field or a split without a filter,
 * a key column or a pass's column that is not declared, a value taken from inside a field that is not.
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

/** The sync methods a table offers, the default first. */
export function syncMethodsOf({ incremental }: Table): readonly [SyncMethod, ...SyncMethod[]] {
  return incremental ? ['incremental', 'full_refresh'] : ['full_refresh'];
}

/** The fields an incremental sync of a table can go by, the default first; none if it offers no such sync. */
export function incrementalFieldsOf({ incremental }: Table): readonly TimestampField[] {
  return incremental?.by ?? [];
}

/** The value below nested objects; absent where the path ends early. */
export function valueAt(record: ApiRecord, path: FieldPath): unknown {
  return path.reduce<unknown>(
    (value, field) => (typeof value === 'object' && value !== null ? (value as ApiRecord)[field] : undefined),
    record,
  );
}

/** The declared column types as canonical JSON; a table whose own differ is read whole. */
export function declaredTypes(table: Table): string {
  return JSON.stringify(Object.entries(table.columns).map(([name, { type }]) => [name, type]));
}
