import type { KeyReference } from './key.ts';
import type { SyncMethod, TimestampField } from './tables/table.ts';

/** How often a table is synced. Seconds are for trying, and only against an API on this machine. */
export const frequencies = ['5m', '15m', '30m', '1h', '6h', '12h', '24h', '7d', '30d'] as const;
export type Frequency = (typeof frequencies)[number] | `${number}s`;

/** How one table is kept current. */
export type TableSettings = {
  readonly sync: SyncMethod;
  /** For `incremental`. */
  readonly incrementalField?: TimestampField;
  readonly every: Frequency;
  /** For `incremental`: how often everything is read all the same, so that deletions reach the table. */
  readonly fullRefreshEvery?: Frequency | 'never';
};

/** One connection, as its settings file says. Paths are absolute once it is read. */
export type Settings = {
  /** Version of the file's form. */
  readonly version: 1;
  /** Name of the connection, `[a-z0-9_-]+`. */
  readonly connection: string;
  readonly apiKey: KeyReference;
  readonly baseUrl: string;
  /** Folder of the tables. */
  readonly destination: string;
  readonly tables: { readonly [table: string]: TableSettings };
};
