import { defined } from '../../defined.ts';
import { DestinationError } from '../../errors.ts';
import { declaredTypes, type TableShape, type TimestampField } from '../../tables/table.ts';
import type { Action, Txn } from './actions.ts';
import type { DeltaLog } from './log.ts';
import { fieldsOf } from './schema.ts';
import type { Snapshot } from './snapshot.ts';
import type { SeenVersion } from '../committed-rows.ts';
import type { LastCommit, TableState } from '../warehouse.ts';
import { typesProperty } from './target-schema.ts';

/** Application ids of our `txn` actions. */
const counterTxn = 'incident-io-source';
const watermarkTxn = `${counterTxn}/watermark`;
const fullReadTxn = `${counterTxn}/full_read`;
const differencesTxn = `${counterTxn}/differences`;
const parentTxn = `${counterTxn}/parent`;

/** Our table properties. */
const accountProperty = 'incident_io.account';
const incrementalFieldProperty = 'incident_io.incremental_field';
const filtersProperty = 'incident_io.filters';
const visibilityProperty = 'incident_io.visibility';
const countOffsetProperty = 'incident_io.count_offset';
/** The id of the parent's Delta table. Without it no version of that table counts as seen. */
const parentProperty = 'incident_io.parent';

/** When a full read found rows that a reading by changes had missed, milliseconds since the epoch. */
const missedProperty = 'incident_io.missed_at';
/** The keys of a few parents that the last run could not read, as a JSON array. */
const leftProperty = 'incident_io.parents_left';
/** Canonical JSON of the rules by which columns are left out or hashed. */
const columnsProperty = 'incident_io.columns';

/** The part of a table's state that is written by a commit; the rest follows from the rows and the log. */
export type StateToCommit = Omit<TableState, 'rows' | 'disturbed' | 'types' | 'lastCommit'>;

export function counterOf({ txns }: Pick<Snapshot, 'txns'>): number {
  return txns.get(counterTxn)?.version ?? 0;
}

/** When our last commit was, milliseconds since the epoch; 0 if another writer's checkpoint left that out. */
export function committedAt({ txns }: Pick<Snapshot, 'txns'>): number {
  return txns.get(counterTxn)?.lastUpdated ?? 0;
}

/** The time of a commit of ours (milliseconds since the epoch), from its actions; `undefined` if it is not ours. */
export function commitTimeIn(actions: readonly Action[]): number | undefined {
  return actions.find(({ txn }) => txn?.appId === counterTxn)?.txn?.lastUpdated;
}

/**
 * The time of a new commit: at least a millisecond after the last one, even if the clock says otherwise. `_synced_at`
 * tells which rows were written after a version, so it must not go back.
 */
export function timeOfCommit(now: number, before: Pick<Snapshot, 'txns'> | undefined): number {
  return before ? Math.max(now, committedAt(before) + 1) : now;
}

export function differencesOf({ txns }: Pick<Snapshot, 'txns'>): number {
  return txns.get(differencesTxn)?.version ?? 0;
}

export function countOffsetOf({ metadata }: Pick<Snapshot, 'metadata'>): number {
  return Number(metadata.configuration[countOffsetProperty] ?? 0);
}

/** The state that our last commit left. */
export function stateOf({ txns, metadata }: Snapshot): Omit<TableState, 'rows' | 'disturbed' | 'lastCommit'> {
  const property = (name: string) => metadata.configuration[name] ?? '';
  return {
    counter: counterOf({ txns }),
    differences: differencesOf({ txns }),
    countOffset: countOffsetOf({ metadata }),
    account: property(accountProperty),
    filters: property(filtersProperty),
    visibility: property(visibilityProperty),
    types: property(typesProperty),
    ...defined({
      watermark: timeIn(txns.get(watermarkTxn)),
      fullReadAt: timeIn(txns.get(fullReadTxn)),
      incrementalField: timestampField(property(incrementalFieldProperty)),
      parent: parentOf({ txns, metadata }),
      missedAt: numberIn(metadata.configuration[missedProperty]),
      left: leftIn(metadata.configuration[leftProperty]),
      columns: metadata.configuration[columnsProperty],
    }),
  };
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function leftIn(json: string | undefined): readonly string[] | undefined {
  return json === undefined ? undefined : (JSON.parse(json) as string[]);
}

function parentOf({ txns, metadata }: Pick<Snapshot, 'txns' | 'metadata'>): SeenVersion | undefined {
  const tableId = metadata.configuration[parentProperty];
  const seen = txns.get(parentTxn);
  return tableId !== undefined && seen ? { tableId, version: seen.version } : undefined;
}

/** The time that is stored as the version of a `txn`; 0 means that there is none. */
function timeIn(txn: Txn | undefined): number | undefined {
  return txn && txn.version > 0 ? txn.version : undefined;
}

function timestampField(text: string): TimestampField | undefined {
  return text === 'updated_at' || text === 'created_at' ? text : undefined;
}

export function txnsOf(state: StateToCommit, now: number): Txn[] {
  const versions = {
    [counterTxn]: state.counter,
    [watermarkTxn]: state.watermark ?? 0,
    [fullReadTxn]: state.fullReadAt ?? 0,
    [differencesTxn]: state.differences,
    ...(state.parent && { [parentTxn]: state.parent.version }),
  };
  return Object.entries(versions).map(([appId, version]) => ({ appId, version, lastUpdated: now }));
}

/** The table's properties with our own set from the state; other properties stay. */
export function configurationOf(
  table: TableShape,
  state: StateToCommit,
  before: { readonly [property: string]: string },
): { [property: string]: string } {
  const {
    [incrementalFieldProperty]: _field,
    [countOffsetProperty]: _offset,
    [parentProperty]: _parent,
    [leftProperty]: _left,
    [missedProperty]: _missed,
    [columnsProperty]: _columns,
    ...kept
  } = before;
  const { left = [] } = state;
  return {
    ...kept,
    [accountProperty]: state.account,
    ...defined({
      [incrementalFieldProperty]: state.incrementalField,
      [countOffsetProperty]: state.countOffset === 0 ? undefined : String(state.countOffset),
      [parentProperty]: state.parent?.tableId,
      [missedProperty]: state.missedAt === undefined ? undefined : String(state.missedAt),
      [leftProperty]: left.length === 0 ? undefined : JSON.stringify(left),
      [columnsProperty]: state.columns,
    }),
    [filtersProperty]: state.filters,
    [visibilityProperty]: state.visibility,
    [typesProperty]: declaredTypes(table),
  };
}

/** The table's properties after a resync: the next run may read any account, and has seen no parent. */
export function forgottenConfiguration(before: { readonly [property: string]: string }): {
  [property: string]: string;
} {
  const { [parentProperty]: _parent, ...kept } = before;
  return { ...kept, [accountProperty]: 'unknown' };
}

/** Throws `DestinationError` if the table is not ours, or needs something of a writer that this one does not support. */
export function assertWritableTable(
  table: string,
  destination: string,
  { protocol, metadata }: Snapshot,
): void {
  const refuse = (why: string) => {
    throw new DestinationError(
      `The Delta table ${table} in ${destination} ${why}.`,
      'Sync into another destination, or move the table out of the way.',
    );
  };
  if (protocol.minReaderVersion > 1 || protocol.minWriterVersion > 2) {
    refuse(
      `needs protocol reader ${protocol.minReaderVersion} / writer ${protocol.minWriterVersion}, but only 1 / 2 is supported`,
    );
  }
  if (metadata.configuration[accountProperty] === undefined) refuse('was not made by incident-io-source');
  if (metadata.partitionColumns.length > 0) refuse('is partitioned');
  if (metadata.configuration['delta.appendOnly'] === 'true') refuse('is append-only');
  if (fieldsOf(metadata).some(({ metadata: facts }) => facts['delta.invariants'] !== undefined)) {
    refuse('has column invariants');
  }
}

/**
 * Whether another writer changed data after our last commit, or that commit is no longer in the log.
 * A commit that only moves rows to other files (OPTIMIZE) does not change data.
 */
export async function isDisturbed(log: DeltaLog, snapshot: Snapshot): Promise<boolean> {
  return (await lastCommitOf(log, snapshot)) === undefined;
}

/** The parameters of a commit that hold the id of its run, and the hash of the rows that the run has read. */
export const runParameter = 'runId';
export const digestParameter = 'digest';

/** Our last commit; `undefined` if another writer changed data after it, or it is not in the log. */
export async function lastCommitOf(log: DeltaLog, snapshot: Snapshot): Promise<LastCommit | undefined> {
  const version = await undisturbedSince(log, snapshot);
  if (version === undefined) return undefined;
  const actions = (await log.actionsOf(version)) ?? [];
  const parameters = actions.find(({ commitInfo }) => commitInfo)?.commitInfo?.operationParameters ?? {};
  const text = (name: string) => {
    const { [name]: value } = parameters;
    return typeof value === 'string' ? value : undefined;
  };
  return { version, ...defined({ chainId: text(runParameter), digest: text(digestParameter) }) };
}

/** The version of our last commit; `undefined` if another writer changed data after it, or it is not in the log. */
export async function undisturbedSince(log: DeltaLog, snapshot: Snapshot): Promise<number | undefined> {
  const counter = counterOf(snapshot);
  for (let version = snapshot.version; version >= 0; version -= 1) {
    const actions = await log.actionsOf(version);
    if (actions === undefined) return undefined;
    if (actions.some(({ txn }) => txn?.appId === counterTxn && txn.version === counter)) return version;
    if (actions.some(({ add, remove }) => add?.dataChange === true || remove?.dataChange === true))
      return undefined;
  }
  return undefined;
}

/**
 * The version that a run has committed since it was planned; `undefined` if there is none.
 * @param plannedOn the counter the run was planned on
 */
export async function versionOfRun(
  log: DeltaLog,
  snapshot: Snapshot,
  chainId: string,
  plannedOn: number | 'none',
): Promise<number | undefined> {
  for (let version = snapshot.version; version >= 0; version -= 1) {
    const actions = await log.actionsOf(version);
    // Deleted by a cleanup, so it is too old to be an attempt of a run that is still open.
    if (actions === undefined) return undefined;
    const txn = actions.find((action) => action.txn?.appId === counterTxn)?.txn;
    // The planned version may have this run's id too: restarted after its commit, the run has read more since.
    if (txn && plannedOn !== 'none' && txn.version <= plannedOn) return undefined;
    if (actions.some(({ commitInfo }) => commitInfo?.operationParameters?.[runParameter] === chainId))
      return version;
  }
  return undefined;
}
