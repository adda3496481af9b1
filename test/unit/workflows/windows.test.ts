import { describe, expect, it } from 'vitest';
import type { Extracted, Plan } from '../../../activities/contract.ts';
import { afterBatch, batchOf, type Reading, startReading } from '../../../workflows/windows.ts';

const plan: Plan = {
  fullRead: true,
  reason: 'first sync',
  windows: [{ id: 0, params: [], cutAfter: 10 }],
  plannedOn: 'none',
  state: { account: 'a', visibility: 'v', filters: '[]' },
  notes: [],
};

function batch(next: Extracted['next'], rows = 1): Extracted {
  const part = { name: `${rows}.parquet`, rows, bytes: 1, stagedAt: 0 };
  return { part, pages: 1, requests: 1, bytes: 1, waitedMs: 0, next };
}

/** Follows one window through several batches; throws if the run has to fail. */
function follow(reading: Reading, id: number, ...steps: Extracted['next'][]): Reading {
  return steps.reduce((before, next) => {
    const after = afterBatch(before, id, batch(next));
    if ('exhausted' in after) throw new Error(after.exhausted);
    return after;
  }, reading);
}

describe('the reading of a run', () => {
  it('continues after the cursor and remembers where batches started', () => {
    const reading = follow(startReading(plan), 0, { kind: 'more', after: 'a' }, { kind: 'more', after: 'b' });
    expect(batchOf(reading, 0)).toMatchObject({ after: 'b', startedAt: ['a'] });
  });

  it('reads a window again from its start when its cursor fails, keeping what is staged', () => {
    const reading = follow(
      startReading(plan),
      0,
      { kind: 'more', after: 'a' },
      { kind: 'reopen', reason: '404' },
    );
    expect(batchOf(reading, 0)).not.toHaveProperty('after');
    expect(reading.parts).toHaveLength(2);
    expect(reading.notes.join()).toContain('404');
  });

  it('fails when the cursor fails for the fourth time, even if pages came in between', () => {
    const reopen = { kind: 'reopen', reason: '404' } as const;
    const more = { kind: 'more', after: 'a' } as const;
    const three = follow(startReading(plan), 0, reopen, more, reopen, more, reopen, more);
    expect(() => follow(three, 0, reopen)).toThrow('4 times');
  });

  it('replaces a window with windows that cover it', () => {
    const windows = [{ params: [] }, { params: [] }];
    const split = follow(startReading(plan), 0, { kind: 'split', windows });
    expect(split.open.map(({ window }) => window.id)).toEqual([1, 2]);
    expect(split.nextWindowId).toBe(3);
    const done = follow(follow(split, 2, { kind: 'done' }), 1, { kind: 'done' });
    expect(done).toMatchObject({ open: [], windowsDone: 2 });
  });

  it('gives windows that are split at the same time distinct ids', () => {
    const cut = { kind: 'split', windows: [{ params: [] }, { params: [] }] } as const;
    const twice = follow(follow(follow(startReading(plan), 0, cut), 1, cut), 2, cut);
    expect(twice.open.map(({ window }) => window.id)).toEqual([5, 6, 3, 4]);
  });

  it('counts the pages until a window is split across its batches', () => {
    const more = { kind: 'more', after: 'a' } as const;
    const after = (pages: number) => afterBatch(startReading(plan), 0, { ...batch(more), pages }) as Reading;
    expect(batchOf(after(7), 0).window).toMatchObject({ cutAfter: 3 });
    // A fault prevented the split at the end of the batch.
    expect(batchOf(after(10), 0).window).toMatchObject({ cutAfter: 10 });
  });

  it('does not try again to split a window that is not worth splitting', () => {
    const after = afterBatch(startReading(plan), 0, {
      ...batch({ kind: 'more', after: 'a' }),
      keepWhole: true,
    }) as Reading;
    expect(batchOf(after, 0).window).not.toHaveProperty('cutAfter');
  });
});
