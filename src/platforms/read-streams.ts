import pLimit from 'p-limit';
import { Clients } from '../../activities/clients.ts';
import type { SyncTableResult } from '../../workflows/contract.ts';
import { StateError } from '../errors.ts';
import type { Table } from '../tables/table.ts';
import type { Snapshot } from '../warehouse/delta/snapshot.ts';
import { committedAt, stateOf } from '../warehouse/delta/table-state.ts';
import { readIdentity } from '../incident-io/identity.ts';
import type { DifferenceRequest, LinesFile } from '../warehouse/read/difference.ts';
import { bringUpToDate, type Reader, restore, timeStateOf, vaultOf } from './bring-up-to-date.ts';
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
  /** All rows are wanted, whatever the state says, unless it is in the middle of such a read. */
  readonly whole: boolean;
  /** As the platform gives it back. */
  readonly state: unknown;
};

/** Which rows of a stream are given. */
export type Given = {
  readonly table: Table;
  /** `undefined` if all rows of `after` are given. */
  readonly before: Snapshot | undefined;
  readonly after: Snapshot;
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
  const reader: Reader = {
    config,
    place,
    clients: new Clients(undefined, vaultOf(config)),
    batches: pLimit(batchesAtOnce),
    signal,
  };
  const oneAtATime = pLimit(1);
  const ends = await Promise.all(
    streams.map(async (stream) => {
      try {
        const plan = await prepare(reader, stream, told);
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
type Prepared = { readonly table: Table; readonly state: StreamState | undefined };

async function prepare<S extends Stream>(reader: Reader, stream: S, told: Told<S>): Promise<Prepared> {
  const { place } = reader;
  const { warehouse, isKept } = place;
  told.started(stream);
  const table = stream.table();
  const known = stateIn(stream.name, stream.state);
  const state = stream.whole && !isHalfWay(known) ? undefined : known;
  await assertFits(reader, stream, state);
  // What is left of an earlier read is given first, so that no row comes twice.
  if (isHalfWay(state)) return { table, state };
  if (state?.kind === 'time') await restore(warehouse, table, state);
  const result = await bringUpToDate(reader, table, (until) => told.waits(stream, until));
  told.synced(stream, result);
  return { table, state: isKept ? state : undefined };
}

function isHalfWay(state: StreamState | undefined): state is KeptState & Required<Pick<KeptState, 'to'>> {
  return state?.kind === 'kept' && state.to !== undefined;
}

/** Throws `StateError` for a state of another account, or one made with another place. */
async function assertFits(reader: Reader, { name }: Stream, state: StreamState | undefined): Promise<void> {
  if (!state) return;
  const { place, clients, config, signal } = reader;
  if (place.isKept !== (state.kind === 'kept')) {
    throw new StateError(
      `${name}: the state was made ${place.isKept ? 'without' : 'with'} a place for the tables, and the config has ${place.isKept ? 'one' : 'none'}`,
    );
  }
  const client = await clients.clientOf({ apiKey: { vault: 'api_key' }, baseUrl: config.baseUrl });
  const { account } = await readIdentity(client, { signal });
  if (account === 'unknown' || state.account === 'unknown' || account === state.account) return;
  throw new StateError(
    `${name}: the state belongs to the account ${state.account}, and the key to ${account}`,
  );
}

async function give<S extends Stream>(
  { place }: Reader,
  stream: S,
  { table, state }: Prepared,
  told: Told<S>,
): Promise<void> {
  const { warehouse, isKept } = place;
  const kept = state?.kind === 'kept' ? state : undefined;
  const after = await warehouse.snapshotOf(table, kept?.to);
  if (!after) throw gone(stream, 'the table, or its version of that time, is no longer there');
  if (kept && after.metadata.id !== kept.table) throw gone(stream, 'the table has been made anew');
  const before = isKept
    ? await versionBefore(place, stream, table, kept?.version)
    : // What was restored into the scratch table, if anything was: it has no rows.
      undefined;
  const given: Given = {
    table,
    before,
    after,
    continued: kept?.to !== undefined,
    deletedAt: committedAt(after),
  };
  const lines = await told.begin(stream, given);
  const { account } = stateOf(after);
  const whole = { kind: 'kept', account, table: after.metadata.id, version: after.version } as const;
  await warehouse.readDifference(
    table,
    { before, after, ...(kept?.after && { from: kept.after }), ...lines },
    async (file) => {
      const { version: _version, ...base } = whole;
      const reached: StreamState | undefined = isKept
        ? {
            ...base,
            ...(before && { version: before.version }),
            to: after.version,
            after: file.place,
          }
        : // Windows that are read side by side know a watermark only once all are done.
          undefined;
      await told.rows(stream, file, reached);
    },
  );
  await told.complete(stream, isKept ? whole : timeStateOf(after));
}

async function versionBefore(
  { warehouse }: Place,
  stream: Stream,
  table: Table,
  version: number | undefined,
): Promise<Snapshot | undefined> {
  if (version === undefined) return undefined;
  const before = await warehouse.snapshotOf(table, version);
  if (before) return before;
  throw gone(stream, `the table's log no longer reaches back to version ${version}`);
}

function gone({ name }: Stream, why: string): StateError {
  return new StateError(`${name}: ${why}`);
}
