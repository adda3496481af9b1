import { expect, it } from 'vitest';
import { SilentWorkers } from '../../../../src/connections/runs/silent-workers.ts';

const second = 1_000;
const minute = 60 * second;

it('names a table once when no worker responds, and again when waiting is pointless', () => {
  const workers = new SilentWorkers();
  workers.waitFor('users', 0);
  workers.waitFor('alerts', 0);
  expect(workers.look(9 * second)).toEqual({ silent: [], lost: [] });
  workers.heard('alerts', 9 * second);
  expect(workers.look(11 * second)).toEqual({ silent: ['users'], lost: [] });
  const looks = Array.from({ length: 700 }, (_, index) => {
    workers.heard('alerts', (12 + index) * second);
    return workers.look((12 + index) * second);
  });
  expect(looks.flatMap(({ silent }) => silent)).toEqual([]);
  expect(looks.findIndex(({ lost }) => lost.length > 0)).toBe(10 * 60 - 11);
  expect(looks.at(-1)!.lost).toEqual(['users']);
});

it('does not blame workers for a time without questions, as when a laptop slept', () => {
  const workers = new SilentWorkers();
  workers.waitFor('users', 0);
  expect(workers.look(second)).toEqual({ silent: [], lost: [] });
  expect(workers.look(120 * minute)).toEqual({ silent: [], lost: [] });
  expect(workers.look(120 * minute + 11 * second).silent).toEqual(['users']);
});

it('does not wait for a table that is done, or that is no longer waited for', () => {
  const workers = new SilentWorkers();
  workers.waitFor('users', 0);
  workers.done('users');
  workers.heard('users', second);
  expect(workers.look(20 * minute)).toEqual({ silent: [], lost: [] });
});
