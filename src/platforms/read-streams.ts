import pLimit from 'p-limit';
import { Clients } from '../../activities/clients.ts';
import type { SyncTableResult } from '../../workflows/contract.ts';
import { StateError, UsageError } from '../errors.ts';
import { tableNamed } from '../tables/index.ts';
import { asChild, isChild } from '../tables/parents.ts';
import type { Table } from '../tables/table.ts';
import type { Snapshot } from '../warehouse/delta/snapshot.ts';
import { committedAt, stateOf } from '../warehouse/delta/table-state.ts';
import { type Identity, readIdentity } from '../incident-io/identity.ts';
import type { DifferenceRequest, LinesFile } from '../warehouse/read/difference.ts';
import { bringUpToDate, keyField, type Reader, restore, timeStateOf, vaultOf } from './bring-up-to-date.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { PlatformConfig } from './config.ts';
import type { Place } from './place.ts';
import { type KeptState, stateIn, type StreamState } from './stream-state.ts';

/** As many as keep the connection busy without too many pages in memory. */
const batchesAtOnce = 24;

/** One table that a platform asks for. */
export type Stream = {
  readonly name: string;
  /** Finds the table. Throws if there is none, or if the platform's selection makes no sense. */
  readonly table: () => Table;
  /** All rows are wanted, regardless of the state, unless it is in the middle of such a read. */
  readonly whole: boolean;
  /** As the platform gives it back. */
  readonly state: unknown;
  /** All rows are given if those of the state are no longer there, or if rows were deleted: the platform can replace. */
  readonly replaces?: { readonly tooOld: boolean; readonly deleted: boolean };
};

/** Which rows of a stream are given. */
export type Given = {
  readonly table: Table;
  /** `undefined` if all rows of `after` are given. */
  readonly before: Snapshot | undefined;
  readonly after: Snapshot;
  /** The rows are all that the table has. */
  readonly isWhole: boolean;
  /** Continues a read that ended in the middle. */
  readonly continued: boolean;
  /** The time of the commits that deleted rows, milliseconds since the epoch. */
  readonly deletedAt: number;
};

/** What a platform is told about its streams. The streams are synced side by side and given one after the other. */
export type Told<S extends Stream> = {
  /** The stream's sync begins. */
  readonly started: (stream: S) => void;
  readonly waits: (stream: S, until?: number) => void;
  /** The table is up to date. */
  readonly synced: (stream: S, result: SyncTableResult) => void;
  /** Its rows come next. Returns the SQL of its lines. */
  readonly begin: (stream: S, given: Given) => Promise<Pick<DifferenceRequest, 'row' | 'deleted'>>;
  /** Some of its rows. */
  readonly rows: (stream: S, lines: LinesFile, reached: StreamState | undefined) => Promise<void>;
  /** All of its rows have been given. */
  readonly complete: (stream: S, reached: StreamState) => Promise<void>;
  readonly failed: (stream: S, error: unknown) => Promise<void>;
};

/** @returns how many streams failed. Rejects if the reader of the output is gone. */
export async function readStreams<S extends Stream>(
  config: PlatformConfig,
  place: Place,
  streams: readonly S[],
  told: Told<S>,
  signal: AbortSignal,
): Promise<number> {
  const clients = new Clients({ vault: vaultOf(config) });
  let identity: Promise<Identity> | undefined;
  const reader: Reader = {
    config,
    place,
    clients,
    batches: pLimit(batchesAtOnce),
    signal,
    // Asked for once for all streams.
    async account() {
      const client = await clients.clientOf({ apiKey: { vault: keyField }, baseUrl: config.baseUrl });
      return (await (identity ??= readIdentity(client, { signal }))).account;
    },
  };
  const oneAtATime = pLimit(1);
  const synced = syncedOnce(reader, new Set(streams.map(({ name }) => name)));
  const ends = await Promise.all(
    streams.map(async (stream) => {
      try {
        const plan = await prepare(reader, stream, synced, told);
        await oneAtATime(() => give(reader, stream, plan, told));
        return 0;
      } catch (error) {
        signal.throwIfAborted();
        await oneAtATime(() => told.failed(stream, error));
        return 1;
      }
    }),
  );
  return ends.reduce<number>((sum, end) => sum + end, 0);
}

/** A stream whose table is ready to be compared. */
type Prepared = {
  readonly table: Table;
  readonly state: StreamState | undefined;
  /** The run has read the whole table. */
  readonly fullRead: boolean;
};

async function prepare<S extends Stream>(
  reader: Reader,
  stream: S,
  synced: Synced,
  told: Told<S>,
): Promise<Prepared> {
  const { place } = reader;
  const { warehouse, isKept } = place;
  told.started(stream);
  const table = stream.table();
  assertReadableHere(place, table);
  const known = stateIn(stream.name, stream.state);
  const state = stream.whole && !isHalfWay(known) ? undefined : known;
  await assertFits(reader, stream, state);
  // The rest of an earlier read comes first, so that no row is sent twice.
  if (isHalfWay(state)) return { table, state, fullRead: false };
  if (state?.kind === 'time') await restore(warehouse, table, state);
  const result = await synced(table, (until) => told.waits(stream, until));
  told.synced(stream, result);
  return { table, state: isKept ? state : undefined, fullRead: result.fullRead };
}

/** Brings a table up to date, each once in a read. */
type Synced = (table: Table, onWait: (until?: number) => void) => Promise<SyncTableResult>;

/** A table that is read by the rows of another one follows that one, which is synced even if it was not selected. */
function syncedOnce(reader: Reader, selected: ReadonlySet<string>): Synced {
  const runs = new Map<string, Promise<SyncTableResult>>();
  const run: Synced = async (table, onWait) => {
    const of = reader.place.isKept ? asChild(table)?.parent.table : undefined;
    const parent = of === undefined ? undefined : tableNamed(of);
    if (parent && (isChild(table) || selected.has(parent.name))) await synced(parent, onWait);
    return bringUpToDate(reader, table, parent, onWait);
  };
  const synced: Synced = (table, onWait) => {
    const known = runs.get(table.name) ?? run(table, onWait);
    runs.set(table.name, known);
    return known;
  };
  return synced;
}

/** Throws `UsageError` for a table that needs rows of another one, if none are kept. */
function assertReadableHere({ isKept }: Place, table: Table): void {
  if (isKept || !isChild(table)) return;
  throw new UsageError(
    `${table.name} is read by the rows of ${table.parent.table}, and the config has no place for the tables.`,
    'Name a place (warehouse), or leave the stream out.',
  );
}

function isHalfWay(state: StreamState | undefined): state is KeptState & Required<Pick<KeptState, 'to'>> {
  return state?.kind === 'kept' && state.to !== undefined;
}

/** Throws `StateError` for a state of another account, or one made with another place. */
async function assertFits(reader: Reader, { name }: Stream, state: StreamState | undefined): Promise<void> {
  if (!state) return;
  const { place } = reader;
  if (place.isKept !== (state.kind === 'kept')) {
    throw new StateError(
      `${name}: the state was made ${place.isKept ? 'without' : 'with'} a place for the tables, and the config has ${place.isKept ? 'one' : 'none'}`,
    );
  }
  const account = await reader.account();
  if (account === 'unknown' || state.account === 'unknown' || account === state.account) return;
  throw new StateError(
    `${name}: the state belongs to the account ${state.account}, and the key to ${account}`,
  );
}

/** The versions to compare, and where an earlier read of their difference has ended. */
type Versions = Pick<DifferenceRequest, 'before' | 'after' | 'from'>;

async function give<S extends Stream>(
  { place }: Reader,
  stream: S,
  { table, state, fullRead }: Prepared,
  told: Told<S>,
): Promise<void> {
  const { warehouse, isKept } = place;
  const versions = await versionsFor(warehouse, stream, table, state?.kind === 'kept' ? state : undefined);
  const { before, after, from } = versions;
  const isWhole = isKept ? before === undefined : fullRead;
  const given: Given = {
    table,
    before,
    after,
    isWhole,
    continued: from !== undefined,
    deletedAt: committedAt(after),
  };
  const lines = await told.begin(stream, given);
  const base = { kind: 'kept', account: stateOf(after).account, table: after.metadata.id } as const;
  await warehouse.readDifference(table, { ...versions, ...lines }, async (file) => {
    const half = { to: after.version, after: file.place, ...(before && { version: before.version }) };
    // Windows that are read side by side know a watermark only once all are done.
    await told.rows(stream, file, isKept ? { ...base, ...half } : undefined);
  });
  await told.complete(stream, isKept ? { ...base, version: after.version } : timeStateOf(after));
}

async function versionsFor(
  warehouse: Warehouse,
  stream: Stream,
  table: Table,
  state: KeptState | undefined,
): Promise<Versions> {
  try {
    const versions = await versionsIn(warehouse, stream, table, state);
    const { holdsDeleted } = await warehouse.compare(table, versions);
    if (!holdsDeleted || versions.from || !stream.replaces?.deleted) return versions;
    return { before: undefined, after: versions.after };
  } catch (error) {
    if (!(error instanceof StateError) || !stream.replaces?.tooOld || !state) throw error;
    return versionsIn(warehouse, stream, table, undefined);
  }
}

async function versionsIn(
  warehouse: Warehouse,
  { name }: Stream,
  table: Table,
  state: KeptState | undefined,
): Promise<Versions> {
  const gone = (why: string) => new StateError(`${name}: ${why}`);
  const after = await warehouse.snapshotOf(table, state?.to);
  if (!after) throw gone('the table, or its version of that time, is no longer there');
  if (!state) return { before: undefined, after };
  if (after.metadata.id !== state.table) throw gone('the table has been deleted and made again');
  const { version, after: from } = state;
  const before = version === undefined ? undefined : await warehouse.snapshotOf(table, version);
  if (version !== undefined && !before) {
    throw gone(`the log of the table no longer reaches back to version ${version}`);
  }
  return { before, after, ...(from && { from }) };
}
