import type { Call } from '../src/incident-io/client.ts';
import type { Identity } from '../src/incident-io/identity.ts';
import { readReveals } from '../src/incident-io/reveals.ts';
import { openWindows, sinceFilter } from '../src/incident-io/windows.ts';
import { declaredTypes, type Table } from '../src/tables/table.ts';
import { assertSameAccount } from '../src/warehouse/commit/account.ts';
import type { TableState, Warehouse } from '../src/warehouse/warehouse.ts';
import type { Clients } from './clients.ts';
import type { Plan, PlanInput } from './contract.ts';

/** Counts that keep differing start a full read, at most one in a day. */
const differencesForFullRead = 2;
const dayMs = 86_400_000;
/** The API's servers may disagree by seconds. A time further ahead of theirs than this was never true. */
const clockToleranceMs = 60_000;

/** Decides how a run reads its table, from the table's committed state and from what the key may see. */
export async function planSync(
  { run, syncMethod, incrementalField, fullReadEveryMs, lastWatermark }: PlanInput,
  table: Table,
  warehouse: Warehouse,
  clients: Clients,
  call: Call,
): Promise<Plan> {
  await warehouse.assertWritable();
  const client = await clients.clientOf(run);
  // The first answer of the run: its time is what the next watermark will be.
  const identity = await clients.identify(run, call);
  const state = await warehouse.readState(table);
  assertSameAccount(warehouse.destination, table.name, state, identity.account);
  const { params, filters, notes } = await readReveals(client, table, state?.filters, call);
  const field = syncMethod === 'incremental' ? incrementalField : undefined;
  const now = identity.answeredAt;
  const needed = reasonForFullRead(table, state, identity, filters, field);
  const why = needed ?? overdue(state, now, fullReadEveryMs);
  const fullRead = why !== undefined;
  // What is read for the first time, or to mend something, is wanted soon.
  const isRepeat = state?.fullReadAt !== undefined && (field === undefined || needed === undefined);
  const watermarkBefore = Math.min(state?.watermark ?? Infinity, lastWatermark ?? Infinity);
  const since = fullRead || field === undefined ? undefined : sinceFilter(table, field, watermarkBefore);
  // Without the API's clock nobody knows how much further this read is complete.
  const kept = watermarkBefore < Infinity ? watermarkBefore : undefined;
  const watermark = field === undefined ? undefined : (now ?? kept);
  const fullReadAt = fullRead ? now : state?.fullReadAt;
  return {
    fullRead,
    reason: why ?? `changes since ${new Date(watermarkBefore).toISOString()}`,
    windows: openWindows(table, params, since),
    ...(now !== undefined && { now }),
    ...(run.periodic && fullRead && isRepeat && { leaveHalf: true }),
    plannedOn: state?.counter ?? 'none',
    state: {
      ...(watermark !== undefined && { watermark }),
      ...(fullReadAt !== undefined && { fullReadAt }),
      ...(field !== undefined && { incrementalField: field }),
      account: fullRead || identity.account !== 'unknown' ? identity.account : state!.account,
      visibility: fullRead || identity.visibility !== 'unknown' ? identity.visibility : state!.visibility,
      filters,
    },
    notes: [...notes, ...notesOn(identity)],
  };
}

/** Why everything has to be read; `undefined` where the changes since the watermark will do. */
function reasonForFullRead(
  table: Table,
  state: TableState | undefined,
  identity: Identity,
  filters: string,
  field: TableState['incrementalField'],
): string | undefined {
  if (field === undefined) return 'full refresh';
  if (!state) return 'first sync';
  if (state.types !== declaredTypes(table)) return 'the declared columns changed';
  if (state.disturbed) return 'the table was changed by somebody else';
  if (state.watermark === undefined) return 'the table has no watermark';
  if (isAhead(state.watermark, identity.answeredAt)) return 'the watermark is ahead of the API’s clock';
  if (state.incrementalField !== field)
    return `the watermark was made with ${state.incrementalField ?? 'no field'}`;
  if (state.filters !== filters) return 'the parameters that reveal hidden rows changed';
  if (identity.visibility !== 'unknown' && state.visibility !== identity.visibility) {
    return 'what the key may see changed';
  }
  if (state.differences >= differencesForFullRead) {
    const last = state.fullReadAt;
    if (last === undefined || identity.answeredAt === undefined || identity.answeredAt - last >= dayMs) {
      return 'the API counts other rows than the table has';
    }
  }
  return undefined;
}

/** Deletions and silent changes of embedded objects reach the table only with a full read. */
function overdue(
  state: TableState | undefined,
  now: number | undefined,
  everyMs: number | undefined,
): string | undefined {
  if (!state || everyMs === undefined || now === undefined) return undefined;
  const { fullReadAt } = state;
  return fullReadAt === undefined || now - fullReadAt >= everyMs || isAhead(fullReadAt, now)
    ? 'the last full read is due again'
    : undefined;
}

/** An answer's clock may once have been wrong. What changed until a watermark of it would never be asked for. */
function isAhead(at: number, now: number | undefined): boolean {
  return now !== undefined && at > now + clockToleranceMs;
}

function notesOn(identity: Identity): string[] {
  return [
    ...(identity.visibility === 'unknown'
      ? ['The identity of the key could not be read, so it was not compared.']
      : []),
    ...(identity.answeredAt === undefined
      ? ['The API sent no Date, so the watermark stays where it was.']
      : []),
  ];
}
