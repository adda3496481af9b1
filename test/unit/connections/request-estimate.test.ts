import { expect, it } from 'vitest';
import { estimateRequests } from '../../../src/connections/request-estimate.ts';

const allowed = (table: string, rows?: number) => ({
  table,
  allowed: true as const,
  ...(rows !== undefined && { rows }),
});

it('counts the pages of a list that the API counts, and its quiet runs and full reads of a day', () => {
  // 12 pages of 250 rows and the list of statuses; 95 runs by changes with two requests each, one full read.
  expect(estimateRequests([allowed('incidents', 3_000)])).toEqual([
    { table: 'incidents', fullRead: 13, quietDay: 95 * 2 + 13, atLeast: false },
  ]);
});

it('says that a list which the API does not count may cost more', () => {
  expect(estimateRequests([allowed('users')])).toEqual([
    { table: 'users', fullRead: 1, quietDay: 4, atLeast: true },
  ]);
});

it('counts the parents of a table that is read parent by parent', () => {
  const [, entries] = estimateRequests([allowed('schedules', 60), allowed('schedule_overrides')]);
  expect(entries).toMatchObject({ fullRead: 60, atLeast: false });
});

it('leaves out what the key cannot read', () => {
  expect(estimateRequests([{ table: 'users', allowed: false, message: 'no' }])).toEqual([]);
});
