import { isDeepStrictEqual } from 'node:util';

import type { Table } from '../../tables/table.ts';
import type { CommitWorld } from '../world.ts';
import type { Action } from '../delta/actions.ts';
import { DeltaLog } from '../delta/log.ts';
import { assertWritableTable, forgottenConfiguration, stateOf, txnsOf } from '../delta/table-state.ts';

/**
 * Commits a state with neither watermark nor account on top of the rows as they are: readers notice nothing, the
 * next run reads everything, and a run that is going on plans again, since the counter is raised.
 * @returns whether there was a table; without one the next run reads everything anyway.
 */
export async function resetTable(
  { store, duckDb, destination, now: clock }: CommitWorld,
  table: Table,
): Promise<boolean> {
  const log = new DeltaLog(store, duckDb, table.name);
  for (;;) {
    const snapshot = await log.snapshot();
    if (!snapshot) return false;
    assertWritableTable(table.name, destination, snapshot);
    const now = clock();
    const { watermark: _forgotten, ...state } = stateOf(snapshot, 0, false);
    const configuration = forgottenConfiguration(snapshot.metadata.configuration);
    const changed = !isDeepStrictEqual(configuration, snapshot.metadata.configuration);
    const actions: Action[] = [
      {
        commitInfo: {
          timestamp: now,
          operation: 'SET TBLPROPERTIES',
          operationParameters: { reason: 'resync' },
          readVersion: snapshot.version,
          isolationLevel: 'Serializable',
          isBlindAppend: false,
          engineInfo: 'incident-io-source',
        },
      },
      ...(changed ? [{ metaData: { ...snapshot.metadata, configuration } }] : []),
      ...txnsOf({ ...state, counter: state.counter + 1 }, now).map((txn) => ({ txn })),
    ];
    // Where somebody else commits first, the state to forget is theirs.
    if (await log.commit(snapshot.version + 1, actions, snapshot, now)) return true;
  }
}
