import { defined } from '../src/defined.ts';
import { ParentMissingError } from '../src/errors.ts';
import type { Param } from '../src/incident-io/client.ts';
import { dayMs, type Window } from '../src/incident-io/windows.ts';
import { type ChildTable, isChild } from '../src/tables/parents.ts';
import { declaredTypes, type Table } from '../src/tables/table.ts';
import { assertSameAccount } from '../src/warehouse/commit/account.ts';
import type { ParentPick, SeenVersion } from '../src/warehouse/committed-rows.ts';
import type { ReplacedOverlap } from '../src/warehouse/replaced-rows.ts';
import type { Plan, PlanInput } from './contract.ts';
import { type Facts, hasOtherRules, isAhead, nextState, reasonForFullRead } from './plan-facts.ts';
import type { Step } from './step.ts';

/** A window has at least this many parents, if there are that many: fewer are not worth a batch of their own. */
const parentsPerWindow = 25;
/** Four times as many windows as are read side by side, so that all are busy until the end. */
const mostWindows = 32;
/** A reading of more parents than this takes minutes, so it leaves half of the rate limit to others. */
const longReading = 300;

/**
 * Plans a run of a table that is read parent by parent, on one version of the parent's table.
 *
 * Throws `ParentMissingError` if the parent was never synced, and `AccountMismatchError` if it holds another account.
 */
export async function planChildren(
  { run, fullReadEveryMs, lastWatermark }: PlanInput,
  { table, parent, warehouse }: Step & { readonly parent: Table },
  facts: Facts,
  notes: readonly string[],
): Promise<Plan> {
  if (!isChild(table)) throw new TypeError(`${table.name} is not read parent by parent`);
  const version = await warehouse.newestVersion(parent);
  if (!version) {
    throw new ParentMissingError(
      `${table.name} is read by the rows of ${parent.name}, which has not been synced yet.`,
      `Sync ${parent.name} too.`,
    );
  }
  const { state, identity } = facts;
  assertSameAccount(warehouse.destination, parent.name, await warehouse.readState(parent), identity.account);
  const now = identity.answeredAt;
  const watermark = Math.min(state?.watermark ?? Infinity, lastWatermark ?? Infinity);
  const seenAt = state?.parent && (await warehouse.commitTime(parent, state.parent));
  const reason =
    reasonForFullRead(declaredTypes(table), facts) ??
    reasonByParent(parent, version, state?.parent, seenAt) ??
    reasonByTurn(parent, watermark, now, fullReadEveryMs);
  const { where, open = [] } = table.parent;
  const pick: ParentPick = {
    ...version,
    ...defined({ where }),
    ...(reason === undefined && {
      only: {
        since: seenAt!,
        open,
        left: state?.left ?? [],
        ...(now !== undefined &&
          fullReadEveryMs !== undefined && { turn: { everyMs: fullReadEveryMs, from: watermark, to: now } }),
      },
    }),
  };
  const ranges = await warehouse.parentRanges(parent, pick, { each: parentsPerWindow, most: mostWindows });
  if (!ranges) throw new ParentMissingError(`${parent.name} was deleted meanwhile.`, 'Sync it again.');
  const within = withinTime(table, facts, now ?? Date.now());
  const count = ranges.reduce((sum, range) => sum + range.count, 0);
  const params = [...Object.entries(table.query ?? {}), ...timeParams(table, within)];
  const isWhole = reason !== undefined && (within === undefined || isStartedOver(table, facts));
  return {
    fullRead: isWhole,
    reason: reason ?? `${count} of ${parent.name}: changed, open or due`,
    windows: ranges.map((range, id): Window => ({ id, params, pages: range.count, parents: range })),
    plannedOn: state?.counter ?? 'none',
    state: { ...nextState(facts, isWhole, watermark), parent: version },
    parents: { pick, count, ...defined({ within }) },
    notes,
    ...defined({ now, leaveHalf: leavesHalf(run, count) }),
  };
}

function leavesHalf({ periodic }: PlanInput['run'], count: number): true | undefined {
  return periodic || count > longReading ? true : undefined;
}

/** Why all parents are read; `undefined` if it is enough to read those that changed since the version that was seen. */
function reasonByParent(
  { name }: Table,
  version: SeenVersion,
  seen: SeenVersion | undefined,
  seenAt: number | undefined,
): string | undefined {
  if (!seen) return `no version of ${name} was seen`;
  if (seen.tableId !== version.tableId) return `${name} was created again`;
  if (seen.version > version.version || seenAt === undefined)
    return `the version of ${name} that was seen is gone`;
  return undefined;
}

/** Each parent has its turn once per period, so after a whole period it is every parent's turn. */
function reasonByTurn(
  { name }: Table,
  watermark: number,
  now: number | undefined,
  everyMs: number | undefined,
): string | undefined {
  if (now === undefined || everyMs === undefined) return undefined;
  return now - watermark >= everyMs || isAhead(watermark, now) ? `all ${name} are due again` : undefined;
}

/**
 * The table's rows cannot be kept: there are none, they have other columns, other things are left out of them, or
 * another writer changed them.
 */
function isStartedOver(table: Table, { state, columns }: Facts): boolean {
  return !state || state.types !== declaredTypes(table) || hasOtherRules(state, columns) || state.disturbed;
}

/** The time that is read for a table with a window of time: it reaches further back if the table is new. */
function withinTime(
  { timeWindow }: ChildTable,
  { state, columns: rules }: Facts,
  now: number,
): ReplacedOverlap | undefined {
  if (!timeWindow) return undefined;
  const { daysBack, firstDaysBack, daysAhead, columns } = timeWindow;
  const isKnown = state?.parent !== undefined && !state.disturbed && !hasOtherRules(state, rules);
  return {
    ...columns,
    from: now - (isKnown ? daysBack : firstDaysBack) * dayMs,
    to: now + daysAhead * dayMs,
  };
}

function timeParams({ timeWindow }: Table, within: ReplacedOverlap | undefined): Param[] {
  if (!timeWindow || !within) return [];
  return [
    [timeWindow.from, new Date(within.from).toISOString()],
    [timeWindow.to, new Date(within.to).toISOString()],
  ];
}
