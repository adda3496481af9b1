import { defined } from '../src/defined.ts';
import { readReveals } from '../src/incident-io/reveals.ts';
import { openWindows, sinceFilter } from '../src/incident-io/windows.ts';
import { textOfRules } from '../src/records/column-rules.ts';
import type { Param } from '../src/incident-io/client.ts';
import { declaredTypes, readsByChange } from '../src/tables/table.ts';
import { assertSameAccount } from '../src/warehouse/commit/account.ts';
import type { TableState } from '../src/warehouse/warehouse.ts';
import type { Plan, PlanInput } from './contract.ts';
import { planByChange } from './plan-by-change.ts';
import { planChildren } from './plan-children.ts';
import { type Facts, isAhead, nextState, notesOn, reasonForFullRead } from './plan-facts.ts';
import type { Step } from './step.ts';

/**
 * Decides how a run reads its table, from the table's committed state and from what the key may see.
 *
 * Throws `AccountMismatchError` if the table holds another account's rows.
 */
export async function planSync(input: PlanInput, step: Step): Promise<Plan> {
  return (await planOnState(input, step)).plan;
}

/** The same, and the table's state at that moment: `undefined` if the table does not exist yet. */
export async function planOnState(
  input: PlanInput,
  step: Step,
): Promise<{ readonly plan: Plan; readonly state: TableState | undefined }> {
  const { table, warehouse, clients, call } = step;
  const { run, syncMethod, fullReadEveryMs } = input;
  await warehouse.assertWritable();
  const client = await clients.clientOf(run);
  // The API's time before the first page is requested becomes the next watermark.
  const identity = await clients.identityOf(run, call);
  const state = await warehouse.readState(table);
  assertSameAccount(warehouse.destination, table.name, state, identity.account);
  const { params, filters, notes } = await readReveals({ client, table, call }, state?.filters);

  const field = syncMethod === 'incremental' ? input.incrementalField : undefined;
  const byChange = syncMethod === 'incremental' && (field !== undefined || readsByChange(table));
  const columns = textOfRules(await clients.rulesOf(run));
  const facts: Facts = { field, byChange, state, identity, filters, columns };
  const { parent } = step;
  const allNotes = [...notes, ...notesOn(identity)];
  if (table.parent && parent) {
    return { plan: await planChildren(input, { ...step, parent }, facts, allNotes), state };
  }
  const now = identity.answeredAt;
  const needed = reasonForFullRead(declaredTypes(table), facts);
  const reason = needed ?? reasonForRepeat(state, now, fullReadEveryMs);
  const fullRead = reason !== undefined;
  // A first read or a repair is wanted soon, so only a repeated full read leaves half of the rate limit to others.
  const isRepeat = state?.fullReadAt !== undefined && (field === undefined || needed === undefined);
  const watermark = Math.min(state?.watermark ?? Infinity, input.lastWatermark ?? Infinity);
  let since: Param | undefined;
  if (!fullRead && field !== undefined) since = sinceFilter(table, field, watermark);
  const list: Plan = {
    fullRead,
    reason: reason ?? `changes since ${new Date(watermark).toISOString()}`,
    windows: openWindows(table, params, since),
    plannedOn: state?.counter ?? 'none',
    state: nextState(facts, fullRead, watermark),
    notes: allNotes,
    ...defined({ now, leaveHalf: run.periodic && fullRead && isRepeat ? (true as const) : undefined }),
  };
  const plan = byChange && parent ? await planByChange({ ...step, parent }, facts, list, needed) : list;
  return { plan, state };
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
