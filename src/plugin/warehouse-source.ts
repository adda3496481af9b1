import type { RetryPolicy } from '@temporalio/common';
import type { NativeConnection, Worker, WorkflowBundleOption } from '@temporalio/worker';
import type { SyncSourceInput, SyncTableInput } from '../../workflows/contract.ts';
import type { TablePermission } from '../incident-io/permissions.ts';
import type { KeyReference, Vault, VaultReference } from '../settings/key.ts';
import type { Retention, TableSettings } from '../settings/settings.ts';
import type { ColumnType, SyncMethod, TimestampField } from '../tables/table.ts';

/** One thing to ask for when a connection is made. */
export type SourceField = {
  readonly name: string;
  readonly label: string;
  readonly type: 'password';
  readonly required: boolean;
  /** Is never shown again, logged, or kept with other settings. */
  readonly secret: boolean;
  readonly placeholder: string;
};

/** The form that a platform shows to whoever makes a connection. */
export type SourceConfig = {
  /** What people know the source as. */
  readonly label: string;
  /** What to have ready, and where to get it; Markdown. */
  readonly caption: string;
  readonly docsUrl: string;
  readonly releaseStatus: 'alpha' | 'beta' | 'ga';
  readonly fields: readonly SourceField[];
};

/** What was typed into the form, by the name of the field. */
export type FieldValues = { readonly [field: string]: string };

export type SourceColumn = {
  readonly name: string;
  readonly type: ColumnType;
  readonly description: string;
  /** Holds or may hold data about a person. */
  readonly personal: boolean;
};

export type SourceTable = {
  readonly name: string;
  readonly description: string;
  /** The default first. */
  readonly syncMethods: readonly SyncMethod[];
  /** Fields an incremental sync can go by, the default first; none where the table has no such method. */
  readonly incrementalFields: readonly TimestampField[];
  /** How it is kept current, and how often, unless somebody chooses otherwise. */
  readonly defaults: TableSettings;
  readonly primaryKey: readonly string[];
  readonly columns: readonly SourceColumn[];
};

export type CredentialsCheck =
  | {
      readonly valid: true;
      /** Whose key it is, to be handed to every sync of the connection; `unknown` where it could not be read. */
      readonly account: string;
    }
  | { readonly valid: false; readonly message: string; readonly advice: string };

/** What the syncs of a connection have in common. */
export type SyncTarget = {
  /** Where the worker finds the key, which itself never enters a workflow. */
  readonly apiKey: KeyReference | VaultReference;
  /** Folder of the tables, or `s3://bucket/prefix`. */
  readonly destination: string;
  /** As `validateCredentials` gave it: a key of another account is then refused. */
  readonly account?: string;
  /** A run fails after so many minutes without progress; 60 where it is left out. */
  readonly giveUpAfterMinutes?: number;
  /**
   * How long what a sync replaced or dropped stays on the disk, and older versions readable. Left out, as the table
   * has it: 7 days unless somebody set another.
   */
  readonly retention?: Retention;
};

/** Which table, and how it is kept current where that is not the table's default. How often is the schedule's. */
export type TableSync = { readonly table: string } & Partial<Omit<TableSettings, 'every'>>;

/**
 * A workflow to be started: what `client.workflow.start(workflowType, …)` takes, or the `action` of a schedule.
 * The memo lets this package's commands see what an open run was asked for.
 */
export type WorkflowStart<Type extends string, Input> = {
  readonly workflowType: Type;
  /** Served by `createWorker` for the same destination. */
  readonly taskQueue: string;
  /** One a destination and table: two runs of one table cannot be started side by side. */
  readonly workflowId: string;
  readonly args: [Input];
  readonly memo: { readonly arguments: string };
  /** Of one table's run: where a worker of another version cannot go on with it, it begins anew. */
  readonly retry?: RetryPolicy;
};

export type SourceWorkerOptions = {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** As in `SyncTarget`. */
  readonly destination: string;
  /** For keys that are referred to as `{ vault }`. */
  readonly vault?: Vault;
  /** The workflows' bundle; this package's own where it is left out. */
  readonly workflowBundle?: WorkflowBundleOption;
};

/** A worker that carries out the syncs into one destination. */
export type SourceWorker = {
  /** Not yet running: `run()` or `runUntil(…)`. */
  readonly worker: Worker;
  /** Lets go of the destination; to be called when the worker has stopped. */
  readonly close: () => Promise<void>;
};

export type ErrorDescription = {
  /** The error's name, such as `PermissionError`. */
  readonly error: string;
  readonly message: string;
  /** What a person can do about it, in one sentence. */
  readonly advice: string;
  /** `later`: the next run may succeed as things are · `never`: somebody has to change something first. */
  readonly retry: 'never' | 'later';
};

/** A source of warehouse tables, as a pipeline platform sees it. Nothing here starts a server or a run. */
export interface WarehouseSource {
  /** What it is registered as; lower case. */
  readonly name: string;
  readonly config: SourceConfig;

  /** Every table there is; needs no key. */
  getTables(): readonly SourceTable[];

  /**
   * Whether a connection can be made with these values, and, with a table, whether they suffice to read it.
   * Without one a key that may read little is valid: which tables it may read, `getTablePermissions` says.
   *
   * Throws `ApiUnavailableError` where nothing was learnt of the key (it may be right), and `UsageError` for a
   * table there is not.
   */
  validateCredentials(values: FieldValues, table?: string): Promise<CredentialsCheck>;

  /**
   * For each table whether it may be read, or which scope is missing. Throws `CredentialsError` for a wrong key.
   */
  getTablePermissions(values: FieldValues): Promise<readonly TablePermission[]>;

  /**
   * A sync of one table, for a schedule or to be started at once. Throws `UsageError` for a table, method or field
   * that does not exist or fit.
   */
  syncTable(target: SyncTarget, sync: TableSync): WorkflowStart<'syncTable', SyncTableInput>;

  /** "Import now": a sync of these tables, side by side; of all where none is named. */
  syncSource(target: SyncTarget, syncs?: readonly TableSync[]): WorkflowStart<'syncSource', SyncSourceInput>;

  /** A worker for the syncs into a destination. Loads Temporal's worker and DuckDB, which nothing else here does. */
  createWorker(options: SourceWorkerOptions): Promise<SourceWorker>;

  /** What went wrong, from whatever a run or a function of the source failed with, and what to do. */
  describeError(error: unknown): ErrorDescription;
}
