import { asChild } from '../src/tables/parents.ts';
import type { Table } from '../src/tables/table.ts';
import { dayMs, type Window } from '../src/incident-io/windows.ts';
import type { ParentPick } from '../src/warehouse/committed-rows.ts';
import type { Plan } from './contract.ts';
import { type Facts, nextState } from './plan-facts.ts';
import type { Step } from './step.ts';

/** After changes were missed, the whole list is read for this long. */
const listsAfterMissMs = 7 * dayMs;
/** Fewer parents are not worth a window of their own. */
const parentsPerWindow = 25;
const mostWindows = 8;

/**
 * Plans an incremental run of a table with a list that also answers for one parent at a time: by the parents that
 * changed, if that is fewer requests than the list and misses nothing; otherwise by the list.
 * @param list the plan of a run by the list
 * @param needed why the list is read anyway
 */
export async function planByChange(
  { table, parent, warehouse }: Step & { readonly parent: Table },
  facts: Facts,
  list: Plan,
  needed: string | undefined,
): Promise<Plan> {
  const { state } = facts;
  const version = await warehouse.newestVersion(parent);
  const seenAt = state?.parent && (await warehouse.commitTime(parent, state.parent));
  // The next run sees everything that changes from here on.
  const seen = version ? { parent: version } : {};
  const missedAt = state?.missedAt;
  const isKept = missedAt !== undefined && (list.now ?? missedAt) - missedAt < listsAfterMissMs;
  const kept = isKept ? { missedAt } : {};
  const byList = (reason: string, more: Partial<Plan> = {}): Plan => ({
    ...list,
    fullRead: true,
    reason,
    state: { ...nextState(facts, true, state?.watermark ?? Infinity), ...seen, ...kept },
    ...more,
  });
  if (needed !== undefined) return byList(needed);
  if (!version || seenAt === undefined) return byList(`no version of ${parent.name} was seen`);
  const pick: ParentPick = { ...version, only: { since: seenAt, open: [], left: state?.left ?? [] } };
  if (list.fullRead) {
    const completeTo = (await warehouse.readState(parent))?.watermark;
    return byList(list.reason, completeTo === undefined ? {} : { compare: { pick, completeTo } });
  }
  if (isKept) return byList(`the changes of ${parent.name} had missed rows`);
  const ranges = await warehouse.parentRanges(parent, pick, { each: parentsPerWindow, most: mostWindows });
  const count = (ranges ?? []).reduce((sum, range) => sum + range.count, 0);
  const pages = table.paging.kind === 'pages' ? Math.ceil((state?.rows ?? 0) / table.paging.pageSize) : 1;
  if (!ranges || count >= Math.max(1, pages)) return byList(`${count} of ${parent.name} changed`);
  const params = Object.entries(asChild(table)?.query ?? {});
  return {
    ...list,
    reason: `${count} of ${parent.name} changed`,
    windows: ranges.map((range, id): Window => ({ id, params, pages: range.count, parents: range })),
    state: { ...list.state, ...seen },
    parents: { pick, count },
  };
}
