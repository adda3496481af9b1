/** The actions of the Delta protocol, reader version 1 and writer version 2, without table features. */

export type Add = {
  readonly path: string;
  readonly partitionValues: { readonly [column: string]: string };
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modificationTime: number;
  readonly dataChange: boolean;
  /** JSON of `FileStatistics`. */
  readonly stats?: string;
  readonly tags?: { readonly [tag: string]: string };
};

export type Remove = {
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly deletionTimestamp?: number;
  readonly dataChange: boolean;
  readonly extendedFileMetadata?: boolean;
  readonly partitionValues?: { readonly [column: string]: string };
  readonly size?: number;
};

/**
 * The action that removes a live file.
 * @param deletionTimestamp milliseconds since the epoch
 */
export function removeOf(
  { path, size, partitionValues }: Add,
  deletionTimestamp: number,
  dataChange: boolean,
): Remove {
  return { path, deletionTimestamp, dataChange, extendedFileMetadata: true, partitionValues, size };
}

export type Metadata = {
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly format: { readonly provider: string; readonly options: { readonly [option: string]: string } };
  /** JSON of a struct of `Field`s. */
  readonly schemaString: string;
  readonly partitionColumns: readonly string[];
  readonly configuration: { readonly [property: string]: string };
  readonly createdTime?: number;
};

export type Protocol = {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  readonly readerFeatures?: readonly string[];
  readonly writerFeatures?: readonly string[];
};

export type Txn = { readonly appId: string; readonly version: number; readonly lastUpdated?: number };

export type CommitInfo = {
  readonly timestamp?: number;
  readonly operation?: string;
  readonly operationParameters?: { readonly [parameter: string]: unknown };
  readonly operationMetrics?: { readonly [metric: string]: unknown };
  readonly readVersion?: number;
  readonly isolationLevel?: string;
  readonly isBlindAppend?: boolean;
  readonly engineInfo?: string;
};

/** One line of a commit, which has exactly one of these fields. */
export type Action = {
  readonly add?: Add;
  readonly remove?: Remove;
  readonly metaData?: Metadata;
  readonly protocol?: Protocol;
  readonly txn?: Txn;
  readonly commitInfo?: CommitInfo;
};
