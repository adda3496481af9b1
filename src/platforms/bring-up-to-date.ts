import type { LimitFunction } from 'p-limit';
import type { Clients } from '../../activities/clients.ts';
import type { SyncTableResult } from '../../workflows/contract.ts';
import { inputOf } from '../connections/runs/input.ts';
import { defined } from '../defined.ts';
import { runHere } from '../loop/run-here.ts';
import { intervalMs } from '../settings/settings.ts';
import { declaredTypes, type Table } from '../tables/table.ts';
import type { Snapshot } from '../warehouse/delta/snapshot.ts';
import { stateOf } from '../warehouse/delta/table-state.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { PlatformConfig } from './config.ts';
import type { Place } from './place.ts';
import type { TimeState } from './stream-state.ts';

/** A platform may pause a connection for weeks, and then compare with the version that it knows. */
const retention = '30d';
/** The platform tries a failed read again by itself. */
const giveUpAfterMinutes = 10;
/** The keys are fields of the config, which this process holds. */
export const keyField = 'api_key';
const hashKeyField = 'hash_key';

export type Reader = {
  readonly config: PlatformConfig;
  readonly place: Place;
  readonly clients: Clients;
  readonly batches: LimitFunction;
  readonly signal: AbortSignal;
  /** `dashboard_url` of the account that the key belongs to, or `unknown`. */
  readonly account: () => Promise<string>;
};

/** Looks up the keys of runs in the config. */
export function vaultOf({ apiKey, hashKey }: PlatformConfig) {
  const keys = new Map([
    [keyField, apiKey],
    [hashKeyField, hashKey],
  ]);
  return (id: string) => Promise.resolve(keys.get(id));
}

/**
 * Syncs a table as its defaults say.
 * @param parent the table by whose rows it is read, if that one is kept and up to date
 *
 * Throws what the run fails with.
 */
export function bringUpToDate(
  { config, place, clients, batches, signal }: Reader,
  table: Table,
  parent: Table | undefined,
  onWait: (until?: number) => void,
): Promise<SyncTableResult> {
  const { warehouse, isKept } = place;
  const own = isKept ? table : withoutHistory(table);
  const input = inputOf(own, {
    apiKey: { vault: keyField },
    baseUrl: config.baseUrl,
    account: 'unknown',
    giveUpAfterMinutes,
    personal: config.personal,
    ...(config.hashKey !== undefined && { hashKey: { vault: hashKeyField } }),
    ...defined({ retentionMs: isKept ? intervalMs(retention) : undefined }),
  });
  return runHere(input, {
    table: own,
    ...(parent && { parent }),
    warehouse,
    clients,
    signal,
    batches,
    isKept,
    onWait,
  });
}

/**
 * The table as a scratch folder can hold it: that has only the rows that changed, so they are not to be counted, and
 * nothing can be read by its rows.
 */
function withoutHistory(table: Table): Table {
  const { counted: _counted, changesBy: _changesBy, ...own } = table;
  return own;
}

/**
 * Gives an empty scratch table the state that the platform has kept, so that the run that follows reads only what has
 * changed since. Does nothing if that state does not fit this version, and then everything is read.
 */
export async function restore(warehouse: Warehouse, table: Table, state: TimeState): Promise<void> {
  const { account, watermark, fullReadAt, incrementalField, filters, visibility, types, columns } = state;
  if (watermark === undefined || types !== declaredTypes(table)) return;
  if (filters === undefined || visibility === undefined) return;
  await warehouse.commit(table, {
    chainId: 'restored',
    parts: [],
    fullRead: true,
    plannedOn: 'none',
    state: {
      account,
      watermark,
      filters,
      visibility,
      ...defined({
        fullReadAt,
        columns,
        incrementalField: table.incremental?.by.find((field) => field === incrementalField),
      }),
    },
  });
}

/** What a scratch table holds, for the platform to keep. */
export function timeStateOf(snapshot: Snapshot): TimeState {
  const state = stateOf(snapshot);
  const { account, watermark, fullReadAt, incrementalField, filters, visibility, types, columns } = state;
  return {
    kind: 'time',
    account,
    ...defined({ fullReadAt }),
    ...(watermark !== undefined && {
      watermark,
      filters,
      visibility,
      types,
      ...defined({ incrementalField, columns }),
    }),
  };
}
