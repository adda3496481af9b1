import type { ScheduleDescription } from '@temporalio/client';
import type { SyncSchedule } from './schedule-options.ts';

/** One fact of a schedule that differs from the settings; a side that lacks it is left out. */
export type Difference = { readonly name: string; readonly from?: string; readonly to?: string };

type Compared = Pick<ScheduleDescription, 'spec' | 'action' | 'policies'> | SyncSchedule;

/** What would change in a schedule if it were updated. */
export function differencesBetween(found: Compared, desired: Compared): Difference[] {
  const [before, after] = [factsOf(found), factsOf(desired)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [from, to] = [before.get(name), after.get(name)];
    if (from === to) return [];
    return [{ name, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
  });
}

/**
 * Everything that determines what a schedule does, in words. Settings that were added by hand (a calendar, a timeout)
 * are part of it, and so become differences.
 */
function factsOf({ spec, action, policies }: Compared): ReadonlyMap<string, string> {
  const { intervals = [], ...otherTimes } = spec;
  const [input, ...otherArgs] = (action.args ?? []) as unknown[];
  const { workflowRunTimeout, workflowExecutionTimeout, workflowTaskTimeout, retry } = action;
  const { workflowType } = action;
  return new Map([
    ['every', intervals.map(({ every }) => duration(every as number)).join(', ')],
    ['offset', intervals.map(({ offset }) => duration(offset as number)).join(', ')],
    ...leaves('times', otherTimes),
    ['overlap', policies?.overlap ?? ''],
    ['catch up', duration(policies?.catchupWindow as number)],
    ['pause on failure', String(policies?.pauseOnFailure)],
    ['workflow', typeof workflowType === 'string' ? workflowType : workflowType.name],
    ['workflow id', action.workflowId ?? ''],
    ['queue', action.taskQueue],
    ...leaves('', { workflowRunTimeout, workflowExecutionTimeout, workflowTaskTimeout, retry }),
    ...leaves('', input),
    ...leaves('more arguments', otherArgs),
  ]);
}

/** The leaves of a value by their path. A leaf that is empty or zero counts as left out. */
function leaves(path: string, value: unknown): [string, string][] {
  if (value === undefined || value === null || value === 0 || value === '') return [];
  if (typeof value !== 'object' || value instanceof Date) {
    // In the words of the settings: `fullReadEveryMs: 86400000` is their `fullReadEvery: 24h`.
    if (path.endsWith('Ms')) return [[path.slice(0, -'Ms'.length), duration(Number(value))]];
    return [[path, JSON.stringify(value).replace(/^"(.*)"$/, '$1')]];
  }
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')) {
    return [[path, value.join(', ')]];
  }
  return Object.entries(value).flatMap(([key, inner]) => leaves(path === '' ? key : `${path}.${key}`, inner));
}

/** `900000` as `15m`: in the largest unit that divides it, but `24h` rather than `1d`, as the settings write it. */
function duration(ms: number): string {
  const [unit, size] = units.find(([unit, size]) => ms % size === 0 && (unit !== 'd' || ms > size))!;
  return `${ms / size}${unit}`;
}
const units: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];
