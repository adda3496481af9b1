import { expect, it } from 'vitest';

import { sideBySide } from '../../../src/warehouse/side-by-side.ts';

const items = Array.from({ length: 20 }, (_, index) => index);

it('results come in the order of the items, regardless of which ends first, and eight run at once', async () => {
  const waiting: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const all = sideBySide(items, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => waiting.push(resolve));
    running -= 1;
    return item * 2;
  });
  for (let ended = 0; ended < items.length; ended += 1) {
    await expect.poll(() => waiting.length).toBeGreaterThan(0);
    // The one that started last ends first.
    waiting.pop()!();
  }
  expect(await all).toEqual(items.map((item) => item * 2));
  expect(most).toBe(8);
});

it('an error is reported once all running work has ended, and nothing starts after it', async () => {
  const started: number[] = [];
  let end: () => void = () => undefined;
  let isReported = false;
  const all = sideBySide(items, async (item) => {
    started.push(item);
    if (item === 3) throw new Error('of item 3');
    await new Promise<void>((resolve) => {
      const before = end;
      end = () => {
        before();
        resolve();
      };
    });
    return item;
  });
  const reported = all.catch((error: unknown) => {
    isReported = true;
    return error;
  });
  await expect.poll(() => started).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(isReported).toBe(false);
  end();
  expect(await reported).toEqual(new Error('of item 3'));
  expect(started).toHaveLength(8);
});
