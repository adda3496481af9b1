import { expect, it, vi } from 'vitest';
import { Drafts } from '../../../src/console/link/drafts.ts';
import { estimateOf } from '../../../src/console/link/estimate.ts';
import { Estimates } from '../../../src/console/live/estimates.ts';

const base = { workflowId: 'run', started: '', phase: 'reading', workerAnswers: true, fullRead: true };

it('estimates the end of a full read from its speed, once that is known', () => {
  const estimates = new Estimates();
  expect(estimates.of({ ...base, rows: 0 }, 1_000, 0)).toEqual({ by: 'rows', done: 0, of: 1_000 });
  expect(estimates.of({ ...base, rows: 100 }, 1_000, 1_000)).not.toHaveProperty('endsAt');
  expect(estimates.of({ ...base, rows: 500 }, 1_000, 5_000)).toEqual({
    by: 'rows',
    done: 500,
    of: 1_000,
    endsAt: new Date(10_000).toISOString(),
  });
});

it('gives no end for a run that waits, reads only changes, or has an unknown size', () => {
  const estimates = new Estimates();
  estimates.of({ ...base, rows: 500 }, 1_000, 0);
  expect(estimates.of({ ...base, rows: 500 }, 1_000, 60_000)).not.toHaveProperty('endsAt');
  expect(estimates.of({ ...base, fullRead: false, rows: 5 }, 1_000, 0)).toBeUndefined();
  expect(estimates.of({ ...base, rows: 5 }, undefined, 0)).toBeUndefined();
  const windows = { open: 3, done: 5 };
  expect(estimates.of({ ...base, windows }, undefined, 0)).toEqual({ by: 'windows', done: 5, of: 8 });
});

it('raises its estimate if there are more rows than the API had said', () => {
  expect(new Estimates().of({ ...base, rows: 120 }, 100, 0)).toEqual({ by: 'rows', done: 120, of: 120 });
});

it('estimates a first sync by the slowest of the limits that it shares', () => {
  const incidents = { table: 'incidents', allowed: true, rows: 30_000 } as const;
  const { fullRead, seconds } = estimateOf([incidents], ['incidents']);
  expect(fullRead).toBeGreaterThanOrEqual(120);
  // Sixty requests at once, then one a second.
  expect(seconds).toBe(fullRead - 60);
  expect(estimateOf([incidents], ['users']).fullRead).toBe(0);
});

it('forgets a key that was not linked within half an hour', () => {
  vi.useFakeTimers();
  try {
    const drafts = new Drafts();
    const facts = {
      identity: { account: 'unknown', visibility: 'unknown', name: undefined, answeredAt: undefined },
      permissions: [],
    };
    const id = drafts.add({ key: 'key', baseUrl: 'https://api.incident.io', facts });
    vi.advanceTimersByTime(29 * 60_000);
    expect(drafts.get(id).key).toBe('key');
    vi.advanceTimersByTime(2 * 60_000);
    expect(() => drafts.get(id)).toThrow(expect.objectContaining({ name: 'UsageError' }) as Error);
  } finally {
    vi.useRealTimers();
  }
});
