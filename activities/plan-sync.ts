import { defined } from '../src/defined.ts';
import type { Identity } from '../src/incident-io/identity.ts';
import { readReveals } from '../src/incident-io/reveals.ts';
import { openWindows, sinceFilter } from '../src/incident-io/windows.ts';
import type { Param } from '../src/incident-io/client.ts';
import { declaredTypes, type TimestampField } from '../src/tables/table.ts';
import { assertSameAccount } from '../src/warehouse/commit/account.ts';
import type { TableState } from '../src/warehouse/warehouse.ts';
import type { Plan, PlanInput } from './contract.ts';
import type { Step } from './step.ts';

/**
 * If the counts still differ after this many runs in a row, although days were read again, a full read follows. Any
 * difference that remains after it is how this API counts, and does not start another one.
 */
const differencesForFullRead = 2;
/** The API's servers may disagree by seconds; a time further ahead of their clock than this was never right. */
const clockToleranceMs = 60_000;

/** What the plan is decided from. */
type Facts = {
  /** The fields to go by; `undefined` for a full refresh. */
  readonly field: TimestampField | undefined;
  /** As committed; `undefined` if there is no table yet. */
  readonly state: TableState | undefined;
  readonly identity: Identity;
  /** Canonical JSON of the parameters that reveal hidden rows. */
  readonly filters: string;
};

/**
 * Decides how a run reads its table, from the table's committed state and from what the key may see.
 *
 * Throws `AccountMismatchError` if the table holds another account's rows.
 */
export async function planSync(input: PlanInput, { table, warehouse, clients, call }: Step): Promise<Plan> {
  const { run, syncMethod, fullReadEveryMs } = input;
  await warehouse.assertWritable();
  const client = await clients.clientOf(run);
  // The API's clock before the first page is asked for becomes the next watermark.
  const identity = await clients.identityOf(run, call);
  const state = await warehouse.readState(table);
  assertSameAccount(warehouse.destination, table.name, state, identity.account);
  const { params, filters, notes } = await readReveals({ client, table, call }, state?.filters);

  const field = syncMethod === 'incremental' ? input.incrementalField : undefined;
  const facts: Facts = { field, state, identity, filters };
  const now = identity.answeredAt;
  const needed = reasonForFullRead(declaredTypes(table), facts);
  const reason = needed ?? reasonForRepeat(state, now, fullReadEveryMs);
  const fullRead = reason !== undefined;
  // A first read or a repair is wanted soon, so only a repeated full read leaves half of the allowance to others.
  const isRepeat = state?.fullReadAt !== undefined && (field === undefined || needed === undefined);
  const watermark = Math.min(state?.watermark ?? Infinity, input.lastWatermark ?? Infinity);
  let since: Param | undefined;
  if (!fullRead && field !== undefined) since = sinceFilter(table, field, watermark);
  return {
    fullRead,
    reason: reason ?? `changes since ${new Date(watermark).toISOString()}`,
    windows: openWindows(table, params, since),
    plannedOn: state?.counter ?? 'none',
    state: nextState(facts, fullRead, watermark),
    notes: [...notes, ...notesOn(identity)],
    ...defined({ now, leaveHalf: run.periodic && fullRead && isRepeat ? (true as const) : undefined }),
  };
}

/** The state that the run's commit stores with its rows. */
function nextState(
  { field, state, identity, filters }: Facts,
  fullRead: boolean,
  watermark: number,
): Plan['state'] {
  const { account, visibility, answeredAt: now } = identity;
  // Without the API's clock nobody knows up to when this read is complete, so the watermark stays where it was.
  const complete = now ?? (watermark < Infinity ? watermark : undefined);
  return {
    // An incremental run that could not read the identity keeps what the table has.
    account: fullRead || account !== 'unknown' ? account : state!.account,
    visibility: fullRead || visibility !== 'unknown' ? visibility : state!.visibility,
    filters,
    ...defined({
      watermark: field === undefined ? undefined : complete,
      fullReadAt: fullRead ? now : state?.fullReadAt,
      incrementalField: field,
    }),
  };
}

/** Why everything has to be read; `undefined` if the changes since the watermark suffice. */
function reasonForFullRead(types: string, { field, state, identity, filters }: Facts): string | undefined {
  const { answeredAt: now, visibility } = identity;
  if (field === undefined) return 'full refresh';
  if (!state) return 'first sync';
  if (state.types !== types) return 'the declared columns changed';
  if (state.disturbed) return 'another writer changed the table';
  if (state.watermark === undefined) return 'the table has no watermark';
  if (isAhead(state.watermark, now)) return 'the watermark is ahead of the API’s clock';
  if (state.incrementalField !== field) {
    return `the watermark was made with ${state.incrementalField ?? 'no field'}`;
  }
  if (state.filters !== filters) return 'the parameters that reveal hidden rows changed';
  if (visibility !== 'unknown' && state.visibility !== visibility) return 'what the key may see changed';
  if (state.differences >= differencesForFullRead) return 'the API’s count differs from the table’s';
  return undefined;
}

/** Deletions, and changes that do not move a row's `updated_at`, reach the table only with a full read. */
function reasonForRepeat(
  state: TableState | undefined,
  now: number | undefined,
  everyMs: number | undefined,
): string | undefined {
  if (!state || everyMs === undefined || now === undefined) return undefined;
  const { fullReadAt } = state;
  return fullReadAt === undefined || now - fullReadAt >= everyMs || isAhead(fullReadAt, now)
    ? 'a full read is due again'
    : undefined;
}

/** An answer's clock may have been wrong once; a run would never ask for what changed before such a watermark. */
function isAhead(at: number, now: number | undefined): boolean {
  return now !== undefined && at > now + clockToleranceMs;
}

function notesOn({ visibility, answeredAt }: Identity): string[] {
  const notes: string[] = [];
  if (visibility === 'unknown') {
    notes.push('The identity of the key could not be read, so it was not compared.');
  }
  if (answeredAt === undefined)
    notes.push('The API sent no Date header, so the watermark stays where it was.');
  return notes;
}
