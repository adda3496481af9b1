import { type SyncMethod, syncMethodsOf, type Table, type TimestampField } from '../tables/table.ts';
import type { KeyReference } from './key.ts';

/** How often a table is synced. Seconds are for trials, and only with an API on this machine. */
export const frequencies = ['5m', '15m', '30m', '1h', '6h', '12h', '24h', '7d', '30d'] as const;
export type Frequency = (typeof frequencies)[number] | `${number}s`;

/**
 * How long rows that a sync replaced or dropped stay on the disk, and older versions readable. At least a day: a
 * commit may read for two hours what another one has removed, and a query for a working day. At most thirty days:
 * other tools keep no more of a table's log.
 */
export const retentions = ['1d', '3d', '7d', '14d', '30d'] as const;
export type Retention = (typeof retentions)[number];
export const defaultRetention: Retention = '7d';

/** How one table is synced. */
export type TableSettings = {
  readonly syncMethod: SyncMethod;
  /** For `incremental`. */
  readonly incrementalField?: TimestampField;
  readonly every: Frequency;
  /**
   * For `incremental`: how often the whole table is read anyway, so that deleted rows disappear. For a table that is
   * read parent by parent: how often each parent is read, a share of them in each run.
   */
  readonly fullReadEvery?: Frequency | 'never';
  readonly columns?: ColumnSettings;
  /** `false`: the nested tables that come with the table are not made. */
  readonly nested?: boolean;
};

/** Which columns and fields of a table land. */
export type ColumnSettings = {
  /** Columns that are left out. */
  readonly exclude?: readonly string[];
  /** Undeclared fields that land although they look like secrets, or may be personal: `token`, `images[].token`. */
  readonly land?: readonly string[];
};

/**
 * How columns with personal data are treated: they land unchanged (`keep`), text lands as a keyed hash and everything
 * else is left out (`hash`), or all of them are left out (`leave_out`).
 */
export const personalChoices = ['keep', 'hash', 'leave_out'] as const;
export type PersonalChoice = (typeof personalChoices)[number];

/** Version of the settings file's format. */
export const settingsVersion = 2;

/** One connection, as its settings file describes it. Paths are absolute once the file is read. */
export type Settings = {
  /** Version of the file's format. */
  readonly version: typeof settingsVersion;
  /** Name of the connection, `[a-z0-9_-]+`. */
  readonly connection: string;
  readonly apiKey: KeyReference;
  readonly baseUrl: string;
  /** Folder or bucket of the tables, as `destinationOf` gives it. */
  readonly destination: string;
  /** The workers that carry out the connection's runs; by default those of the host or bucket of the destination. */
  readonly pool?: string;
  readonly retention: Retention;
  /** `keep` if left out. */
  readonly personal?: PersonalChoice;
  /** Where the hash key is, for `hash`. */
  readonly hashKey?: KeyReference;
  /** Present if incident.io sends webhooks; `secret` says where their signing secret is. */
  readonly webhooks?: { readonly secret: KeyReference };
  /** Present if people are told about tables that fail; `url` says where the address for the messages is. */
  readonly notify?: { readonly url: KeyReference };
  readonly tables: { readonly [table: string]: TableSettings };
};

/** Where commands look for the settings unless told otherwise. */
export const defaultSettingsFile = 'incident-io.json';

/** A frequency or a retention in milliseconds. */
export function intervalMs(frequency: Frequency | Retention): number {
  return Number.parseInt(frequency, 10) * unitMs[frequency.at(-1) as keyof typeof unitMs];
}
const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * How a table is synced if the settings do not say: by its changes if it can be, because rows are wanted soon and
 * asking for changes costs few requests.
 */
export function defaultTableSettings(
  table: Table,
  syncMethod: SyncMethod = syncMethodsOf(table)[0],
): TableSettings {
  const { incremental, parent, changesBy, every = '6h' } = table;
  if (syncMethod === 'full_refresh') return { syncMethod, every };
  if (changesBy) return { syncMethod, every: '15m', fullReadEvery: '24h' };
  if (!incremental) return { syncMethod, every, ...(parent && { fullReadEvery: '7d' }) };
  const { by, fullReadEvery } = incremental;
  return { syncMethod, incrementalField: by[0], every: '15m', fullReadEvery };
}
