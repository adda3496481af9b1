import type { CommitInput, Plan } from '../activities/contract.ts';
import type { Reading } from './windows.ts';

/** A longer run asks whose key it is once more before it commits; a shorter one relies on the plan's answer. */
export const longRunSeconds = 60;

/** What a plan and its reading commit. */
export function commitOf(
  plan: Plan,
  reading: Reading,
): Pick<CommitInput, 'plan' | 'parts' | 'parents' | 'total'> {
  const { parts, parents } = reading;
  return { plan, parts, ...totalOf(plan, reading), ...(parents && { parents }) };
}

/** A page's count covers the whole table only if it was asked for with nothing but the revealing filters. */
function totalOf({ fullRead }: Plan, { windowsDone, total }: Reading): { total?: number } {
  return fullRead && windowsDone === 1 && total !== undefined ? { total } : {};
}
