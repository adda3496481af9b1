import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import { defined } from '../../defined.ts';
import type { TableShape } from '../../tables/table.ts';
import { type Action, type CommitInfo, type Metadata, removeOf } from '../delta/actions.ts';
import { withRetention } from '../delta/retention.ts';
import type { Snapshot } from '../delta/snapshot.ts';
import { withStatisticsOfAllColumns } from '../delta/statistics.ts';
import {
  configurationOf,
  countOffsetOf,
  counterOf,
  differencesOf,
  digestParameter,
  runParameter,
  type StateToCommit,
  txnsOf,
} from '../delta/table-state.ts';
import type { TargetSchema } from '../delta/target-schema.ts';
import type { CommitRequest } from '../warehouse.ts';
import type { Merged } from './merge-request.ts';

const protocol = { minReaderVersion: 1, minWriterVersion: 2 };

/** A run after its merge: what it commits, and on top of what. */
export type MergedRun = {
  readonly table: TableShape;
  readonly request: CommitRequest;
  /** `undefined` if there is no table. */
  readonly before: Snapshot | undefined;
  readonly schema: TargetSchema;
  readonly result: Merged;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

export function stateToCommit({ request, before, schema, result }: MergedRun): StateToCommit {
  const { state, total, fullRead } = request;
  const differences = before ? differencesOf(before) : 0;
  const offset = before ? countOffsetOf(before) : 0;
  // A gap that a full read leaves between the API's count and the rows is due to how this API counts, not to a change.
  // If the API counts fewer than the rows, one was deleted during the read: a difference that the next run repairs.
  const countOffset = fullRead && total !== undefined ? Math.max(0, total - result.rows) : offset;
  const { watermark, parent, ...rest } = state;
  // Rows that the run has not read lack the new field's value: the next run must read everything.
  const isComplete = fullRead || !schema.addedForUnknown;
  return {
    ...rest,
    ...(isComplete && defined({ watermark, parent })),
    counter: (before ? counterOf(before) : 0) + 1,
    countOffset,
    differences:
      total === undefined ? differences : total === result.rows + countOffset ? 0 : differences + 1,
  };
}

/** The actions of the version that makes the run visible. */
export function actionsOf(run: MergedRun, state: StateToCommit): Action[] {
  const { before, result, now } = run;
  const metaData = changedMetadata(run, state);
  return [
    { commitInfo: commitInfoOf(run) },
    ...(before ? [] : [{ protocol }]),
    ...(metaData ? [{ metaData }] : []),
    ...txnsOf(state, now).map((txn) => ({ txn })),
    ...result.removed.map((add) => ({ remove: removeOf(add, now, true) })),
    ...result.adds.map((add) => ({ add })),
  ];
}

/** The table's metadata; `undefined` if the log already has the same. */
function changedMetadata(
  { table, request, before: snapshot, schema, now }: MergedRun,
  state: StateToCommit,
): Metadata | undefined {
  const before = snapshot?.metadata;
  const fields = schema.columns.map(({ field }) => field);
  const configuration = configurationOf(table, state, before?.configuration ?? {});
  const metadata: Metadata = {
    ...(before ?? {
      id: randomUUID(),
      format: { provider: 'parquet', options: {} },
      partitionColumns: [],
      createdTime: now,
    }),
    name: table.name,
    description: table.description,
    schemaString: JSON.stringify({ type: 'struct', fields }),
    configuration: withStatisticsOfAllColumns(withRetention(configuration, request.retentionMs)),
  };
  if (!before) return metadata;
  // Compared as values: another writer may have ordered the fields of the schema's JSON differently.
  const isUnchanged =
    isDeepStrictEqual(JSON.parse(before.schemaString), JSON.parse(metadata.schemaString)) &&
    isDeepStrictEqual({ ...before, schemaString: '' }, { ...metadata, schemaString: '' });
  return isUnchanged ? undefined : metadata;
}

function commitInfoOf({ request, before, result, now }: MergedRun): CommitInfo {
  const { chainId, fullRead, parts, digest } = request;
  return {
    timestamp: now,
    operation: fullRead ? 'WRITE' : 'MERGE',
    operationParameters: {
      [runParameter]: chainId,
      mode: fullRead ? 'Overwrite' : 'Append',
      ...defined({ [digestParameter]: digest }),
    },
    operationMetrics: {
      numParts: String(parts.length),
      numRows: String(result.rows),
      numRowsInserted: String(result.inserted),
      numRowsUpdated: String(result.updated),
      numRowsDropped: String(result.dropped),
      numFilesAdded: String(result.adds.length),
      numFilesRemoved: String(result.removed.length),
    },
    ...defined({ readVersion: before?.version }),
    isolationLevel: 'Serializable',
    isBlindAppend: false,
    engineInfo: 'incident-io-source',
  };
}
