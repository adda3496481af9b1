import { isDeepStrictEqual } from 'node:util';

import type { TableShape } from '../../tables/table.ts';
import type { Action } from '../delta/actions.ts';
import { DeltaLog } from '../delta/log.ts';
import {
  assertWritableTable,
  committedAt,
  forgottenConfiguration,
  stateOf,
  timeOfCommit,
  txnsOf,
} from '../delta/table-state.ts';
import type { World } from '../world.ts';

/**
 * Commits a state with neither watermark nor account and leaves the rows as they are. The next run reads everything; a
 * run in progress plans again, because the counter is raised.
 * @returns `false` if there is no table: then the next run reads everything anyway.
 */
export async function resetTable(world: World, table: TableShape): Promise<boolean> {
  const log = new DeltaLog(world, table.name);
  for (;;) {
    const before = await log.snapshot();
    if (!before) return false;
    assertWritableTable(table.name, world.destination, before);
    const now = timeOfCommit(world.now(), before);
    const { watermark: _forgotten, parent: _unseen, ...state } = stateOf(before);
    const configuration = forgottenConfiguration(before.metadata.configuration);
    const changed = !isDeepStrictEqual(configuration, before.metadata.configuration);
    const actions: Action[] = [
      {
        commitInfo: {
          timestamp: now,
          operation: 'SET TBLPROPERTIES',
          operationParameters: { reason: 'resync' },
          readVersion: before.version,
          isolationLevel: 'Serializable',
          isBlindAppend: false,
          engineInfo: 'incident-io-source',
        },
      },
      ...(changed ? [{ metaData: { ...before.metadata, configuration } }] : []),
      ...txnsOf({ ...state, counter: state.counter + 1 }, now).map((txn) => ({ txn })),
    ];
    // If another commit comes first, it is the state of that commit that has to be forgotten.
    if (await log.commit(before, actions, { now, since: committedAt(before) })) return true;
  }
}
