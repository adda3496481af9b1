import { DestinationError } from '../../errors.ts';
import { declaredTypes, type Table } from '../../tables/table.ts';
import type { Txn } from './actions.ts';
import type { DeltaLog, Snapshot } from './log.ts';
import { fieldsOf, typesProperty } from './schema.ts';
import type { TableState } from '../warehouse.ts';

/** Application ids of the table's `txn`s. */
const counterTxn = 'incident-io-source';
const watermarkTxn = `${counterTxn}/watermark`;
const fullReadTxn = `${counterTxn}/full_read`;
const differencesTxn = `${counterTxn}/differences`;

/** Table properties. */
const accountProperty = 'incident_io.account';
const incrementalFieldProperty = 'incident_io.incremental_field';
const filtersProperty = 'incident_io.filters';
const visibilityProperty = 'incident_io.visibility';

/** What a commit says about the table, without what the log's other entries tell. */
export type StateToCommit = Omit<TableState, 'rows' | 'disturbed' | 'types'>;

export function counterOf({ txns }: Pick<Snapshot, 'txns'>): number {
  return txns.get(counterTxn)?.version ?? 0;
}

/** When our last commit was, milliseconds since the epoch; 0 where another writer's checkpoint left it out. */
export function committedAt({ txns }: Pick<Snapshot, 'txns'>): number {
  return txns.get(counterTxn)?.lastUpdated ?? 0;
}

export function differencesOf({ txns }: Pick<Snapshot, 'txns'>): number {
  return txns.get(differencesTxn)?.version ?? 0;
}

export function stateOf(snapshot: Snapshot, rows: number, disturbed: boolean): TableState {
  const { txns, metadata } = snapshot;
  const watermark = txns.get(watermarkTxn)?.version ?? 0;
  const fullReadAt = txns.get(fullReadTxn)?.version ?? 0;
  const property = (name: string) => metadata.configuration[name] ?? '';
  const incrementalField = property(incrementalFieldProperty);
  return {
    counter: counterOf(snapshot),
    ...(watermark > 0 && { watermark }),
    ...(fullReadAt > 0 && { fullReadAt }),
    differences: differencesOf(snapshot),
    account: property(accountProperty),
    ...((incrementalField === 'updated_at' || incrementalField === 'created_at') && { incrementalField }),
    filters: property(filtersProperty),
    visibility: property(visibilityProperty),
    types: property(typesProperty),
    rows,
    disturbed,
  };
}

export function txnsOf(state: StateToCommit, now: number): Txn[] {
  const versions = {
    [counterTxn]: state.counter,
    [watermarkTxn]: state.watermark ?? 0,
    [fullReadTxn]: state.fullReadAt ?? 0,
    [differencesTxn]: state.differences,
  };
  return Object.entries(versions).map(([appId, version]) => ({ appId, version, lastUpdated: now }));
}

/** The table's properties with ours as they are now; those of others stay. */
export function configurationOf(
  table: Table,
  state: StateToCommit,
  before: { readonly [property: string]: string },
): { [property: string]: string } {
  const { [incrementalFieldProperty]: _before, ...kept } = before;
  return {
    ...kept,
    [accountProperty]: state.account,
    ...(state.incrementalField !== undefined && { [incrementalFieldProperty]: state.incrementalField }),
    [filtersProperty]: state.filters,
    [visibilityProperty]: state.visibility,
    [typesProperty]: declaredTypes(table),
  };
}

/** The table's properties as a resync leaves them: the next run may be of any account. */
export function forgottenConfiguration(before: { readonly [property: string]: string }): {
  [property: string]: string;
} {
  return { ...before, [accountProperty]: 'unknown' };
}

/** Throws `DestinationError` for a table that is not ours, or that asks of a writer what this one does not do. */
export function assertWritableTable(
  table: string,
  destination: string,
  { protocol, metadata }: Snapshot,
): void {
  const refuse = (what: string) => {
    throw new DestinationError(
      `The Delta table ${table} in ${destination} ${what}.`,
      'Sync into another destination, or move the table out of the way.',
    );
  };
  if (protocol.minReaderVersion > 1 || protocol.minWriterVersion > 2) {
    refuse(
      `needs protocol reader ${protocol.minReaderVersion} / writer ${protocol.minWriterVersion}, which is above 1 / 2`,
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
 * A commit that only rearranges rows (OPTIMIZE) changes none.
 */
export async function isDisturbed(log: DeltaLog, snapshot: Snapshot): Promise<boolean> {
  return (await undisturbedSince(log, snapshot)) === undefined;
}

/** The version of our last commit; `undefined` where another writer changed data since, or it is not in the log. */
export async function undisturbedSince(log: DeltaLog, snapshot: Snapshot): Promise<number | undefined> {
  const counter = counterOf(snapshot);
  for (let version = snapshot.version; version >= 0; version -= 1) {
    const actions = await log.commitOf(version);
    if (actions === undefined) return undefined;
    if (actions.some(({ txn }) => txn?.appId === counterTxn && txn.version === counter)) return version;
    if (actions.some(({ add, remove }) => add?.dataChange === true || remove?.dataChange === true))
      return undefined;
  }
  return undefined;
}

/** The version after the planned one that carries the run's id; `undefined` where none does. */
export async function versionOfRun(
  log: DeltaLog,
  snapshot: Snapshot,
  chainId: string,
  plannedOn: number | 'none',
): Promise<number | undefined> {
  for (let version = snapshot.version; version >= 0; version -= 1) {
    const actions = await log.commitOf(version);
    // Cleaned away by somebody: what is that old is no attempt of a run that still asks.
    if (actions === undefined) return undefined;
    const txn = actions.find((action) => action.txn?.appId === counterTxn)?.txn;
    // The planned version itself may be this run's too: begun anew after its commit, it has read more since.
    if (txn && plannedOn !== 'none' && txn.version <= plannedOn) return undefined;
    if (actions.some(({ commitInfo }) => commitInfo?.operationParameters?.['runId'] === chainId))
      return version;
  }
  return undefined;
}
