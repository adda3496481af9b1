import type { RetryPolicy } from '@temporalio/common';
import type { NativeConnection, Worker, WorkflowBundleOption } from '@temporalio/worker';
import type { SyncSourceInput, SyncTableInput } from '../../workflows/contract.ts';
import type { TablePermission } from '../incident-io/permissions.ts';
import type { KeyReference, Vault, VaultReference } from '../settings/key.ts';
import type { PersonalChoice, Retention, TableSettings } from '../settings/settings.ts';
import type { ColumnType, Group, SyncMethod, TimestampField } from '../tables/table.ts';

/** A value to ask for when a connection is made. */
export type SourceField = {
  readonly name: string;
  readonly label: string;
  readonly type: 'password';
  readonly required: boolean;
  /** It must never be shown again, logged, or stored with other settings. */
  readonly secret: boolean;
  readonly placeholder: string;
};

/** The form that a platform shows when a connection is made. */
export type SourceConfig = {
  /** The source's name for people. */
  readonly label: string;
  /** What is needed and where to get it; Markdown. */
  readonly caption: string;
  readonly docsUrl: string;
  readonly releaseStatus: 'alpha' | 'beta' | 'ga';
  readonly fields: readonly SourceField[];
};

/** The values typed into the form, by field name. */
export type FieldValues = { readonly [field: string]: string };

export type SourceColumn = {
  readonly name: string;
  readonly type: ColumnType;
  readonly description: string;
  /** Holds, or may hold, data about a person. */
  readonly personal: boolean;
};

export type SourceTable = {
  readonly name: string;
  readonly description: string;
  /** What it is about, for a form that lists the tables. */
  readonly group: Group;
  /** Whether it is synced by default; the others are costly, of use to few, or sensitive. */
  readonly byDefault: boolean;
  /** The default first. */
  readonly syncMethods: readonly SyncMethod[];
  /** Fields that an incremental sync can go by, the default first; empty if the table has no such method. */
  readonly incrementalFields: readonly TimestampField[];
  /** How the table is kept current, and how often, unless something else is chosen. */
  readonly defaults: TableSettings;
  readonly primaryKey: readonly string[];
  readonly columns: readonly SourceColumn[];
};

export type CredentialsCheck =
  | {
      readonly valid: true;
      /** The key's account, to be passed to every sync of the connection; `unknown` if it could not be read. */
      readonly account: string;
    }
  | { readonly valid: false; readonly message: string; readonly advice: string };

/** What the syncs of a connection have in common. */
export type SyncTarget = {
  /** Where the worker finds the key; the key itself never enters a workflow. */
  readonly apiKey: KeyReference | VaultReference;
  /**
   * The folder of the tables, or a bucket: `s3://bucket/prefix`, `gs://bucket/prefix` or
   * `abfss://container@account.dfs.core.windows.net/prefix`.
   */
  readonly destination: string;
  /**
   * The pool of workers that carries out the syncs, `[a-z0-9_-]+`: those of many connections share its queue. If left
   * out, the destination has a queue of its own.
   */
  readonly pool?: string;
  /** As returned by `validateCredentials`; a key of another account is then refused. */
  readonly account?: string;
  /** A run fails after this many minutes without progress; 60 if left out. */
  readonly giveUpAfterMinutes?: number;
  /**
   * How long replaced and dropped rows stay on the disk, and older versions stay readable. If left out, the table's
   * own setting stays: 7 days unless it was changed.
   */
  readonly retention?: Retention;
  /** How columns with personal data are treated: `keep` if left out. */
  readonly personal?: PersonalChoice;
  /** Where the worker finds the hash key, for `personal: 'hash'`. */
  readonly hashKey?: KeyReference | VaultReference;
};

/** A table, and how it is kept current if not by the table's defaults. How often is up to the schedule. */
export type TableSync = { readonly table: string } & Partial<Omit<TableSettings, 'every'>>;

/**
 * A workflow to start: the arguments of `client.workflow.start(workflowType, …)`, or the `action` of a schedule.
 * This package's commands read from the memo what an open run was started with.
 */
export type WorkflowStart<Type extends string, Input> = {
  readonly workflowType: Type;
  /** Served by `createWorker` for the same destination or pool. */
  readonly taskQueue: string;
  /** One per destination and table, so that two runs of one table cannot run at the same time. */
  readonly workflowId: string;
  readonly args: [Input];
  readonly memo: { readonly arguments: string };
  /** Only for a single table's run: if a worker of another version cannot continue it, it starts over. */
  readonly retry?: RetryPolicy;
};

/** One destination, or a pool. */
export type ServedDestinations =
  | {
      /** As in `SyncTarget`, without a pool. */
      readonly destination: string;
    }
  | {
      /** As in `SyncTarget`. */
      readonly pool: string;
      /** Whether a destination is one of the platform's; runs for any other are refused. */
      readonly serves: (destination: string) => boolean;
    };

export type SourceWorkerOptions = ServedDestinations & {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** Bytes for merging and sorting, for all syncs of the worker together; 512 MB if left out. */
  readonly memory?: number;
  /** Looks up keys of the form `{ vault }`. */
  readonly vault?: Vault;
  /** The bundle of the workflows; if left out, this package's own. */
  readonly workflowBundle?: WorkflowBundleOption;
};

/** A worker that runs the syncs into one destination, or those of a pool. */
export type SourceWorker = {
  /** Not running yet: call `run()` or `runUntil(…)`. */
  readonly worker: Worker;
  /** Releases the destinations. Call it when the worker has stopped. */
  readonly close: () => Promise<void>;
};

export type ErrorDescription = {
  /** The error's name, such as `PermissionError`. */
  readonly error: string;
  readonly message: string;
  /** What a person can do about it, in one sentence. */
  readonly advice: string;
  /** `later`: the next run may succeed unchanged · `never`: a person has to change something first. */
  readonly retry: 'never' | 'later';
};

/** A source of warehouse tables, as a pipeline platform sees it. No function starts a server or a run. */
export interface WarehouseSource {
  /** The name it is registered under; lower case. */
  readonly name: string;
  readonly config: SourceConfig;

  /** All tables; needs no key. */
  getTables(): readonly SourceTable[];

  /**
   * Whether a connection can be made with these values and, given a table, whether they suffice to read it.
   * Without a table, a key that may read little is valid; `getTablePermissions` says which tables it may read.
   *
   * Throws `ApiUnavailableError` if nothing was learned about the key (it may be right), and `UsageError` for a table
   * that does not exist.
   */
  validateCredentials(values: FieldValues, table?: string): Promise<CredentialsCheck>;

  /**
   * For each table, whether the key may read it or which scope is missing. Throws `CredentialsError` for a wrong key.
   */
  getTablePermissions(values: FieldValues): Promise<readonly TablePermission[]>;

  /**
   * A sync of one table, to be scheduled or started at once. Throws `UsageError` for a table, method or field that
   * does not exist or does not fit.
   */
  syncTable(target: SyncTarget, sync: TableSync): WorkflowStart<'syncTable', SyncTableInput>;

  /** "Import now": a sync of these tables side by side; of all tables if none are named. */
  syncSource(target: SyncTarget, syncs?: readonly TableSync[]): WorkflowStart<'syncSource', SyncSourceInput>;

  /** A worker for the syncs into a destination, or of a pool. The only function that loads Temporal's worker and DuckDB. */
  createWorker(options: SourceWorkerOptions): Promise<SourceWorker>;

  /** Describes the error of a run, or of a function of the source: what went wrong and what to do. */
  describeError(error: unknown): ErrorDescription;
}
