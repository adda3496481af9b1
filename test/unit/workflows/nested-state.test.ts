import { expect, it } from 'vitest';
import { areNestedCurrent, nestedStateOf } from '../../../workflows/nested-state.ts';
import { committed } from '../../helpers/activities.ts';

const tables = ['parts'];
const unchanged = { ...committed, inserted: 0 };
const changesOf = ({
  inserted,
  updated,
  dropped,
}: {
  inserted: number;
  updated: number;
  dropped: number;
}) => ({
  rowsBefore: 3,
  inserted,
  updated,
  dropped,
  bytesWritten: 0,
  columnsAdded: [],
});

function areCurrent(
  outcome: typeof committed | (typeof unchanged & { readonly upkeepSince?: number }),
  { fullRead = true, isQuick = true, last = outcome.counter - 1, names = tables } = {},
): boolean {
  const nesting = {
    fullRead,
    outcome,
    result: { changes: changesOf(outcome) },
    state: nestedStateOf(outcome, tables),
  };
  return areNestedCurrent(nesting, { lastResult: { nested: { counter: last, tables: names } }, isQuick });
}

it('an unchanged table causes a check of its nested tables only once a day', () => {
  expect(areCurrent(unchanged)).toBe(true);
  expect(areCurrent({ ...unchanged, upkeepSince: 5 })).toBe(false);
  expect(areCurrent({ ...unchanged, upkeepSince: 5 }, { fullRead: false })).toBe(false);
});

it('they are checked after a change, after another writer’s commit, and if one of them is new', () => {
  expect(areCurrent(committed)).toBe(false);
  expect(areCurrent(unchanged, { last: unchanged.counter - 2 })).toBe(false);
  expect(areCurrent(unchanged, { names: [] })).toBe(false);
});

it('runs that workers of an earlier version may take check after each full read, as those do', () => {
  expect(areCurrent(unchanged, { isQuick: false })).toBe(false);
  expect(areCurrent({ ...unchanged, upkeepSince: 5 }, { isQuick: false, fullRead: false })).toBe(true);
});
