import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Pacing, type Trigger } from '../../../src/webhooks/pacing.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const allowed = { gapMs: () => 2_000, burst: 5, everyMs: 7_500 };

/** Pacing whose triggers are noted with their time, in seconds from now. */
function paced(take: Trigger = (hints) => Promise.resolve(hints())) {
  const began = Date.now();
  const triggers: number[] = [];
  const pacing = new Pacing(allowed, (hints) => {
    triggers.push((Date.now() - began) / 1_000);
    return take(hints);
  });
  return { pacing, triggers };
}

it('triggers at once, and once more for all hints within two seconds', async () => {
  const { pacing, triggers } = paced();
  pacing.hint();
  await vi.advanceTimersByTimeAsync(100);
  expect(triggers).toEqual([0]);
  for (let hint = 0; hint < 100; hint += 1) pacing.hint();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(triggers).toEqual([0, 2]);
  // After a quiet gap, the next hint triggers at once again.
  pacing.hint();
  await vi.advanceTimersByTimeAsync(0);
  expect(triggers).toEqual([0, 2, 10.1]);
});

it('allows a burst of triggers while hints keep coming, and then only a few', async () => {
  const { pacing, triggers } = paced();
  for (let ms = 0; ms < 60_000; ms += 6) {
    pacing.hint();
    await vi.advanceTimersByTimeAsync(6);
  }
  await vi.advanceTimersByTimeAsync(60_000);
  expect(triggers.map(Math.round)).toEqual([0, 2, 4, 6, 8, 10, 15, 23, 30, 38, 45, 53, 60]);
});

it('triggers once more for a hint that came after the run had begun, and not for one that came before', async () => {
  let begin: (() => void) | undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const { pacing, triggers } = paced(async (hints) => {
    const before = hints();
    if (before > 3) return before;
    await begun;
    // The third hint came too late for this run.
    return 2;
  });
  pacing.hint();
  pacing.hint();
  await vi.advanceTimersByTimeAsync(5_000);
  pacing.hint();
  begin!();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(pacing.isWaiting).toBe(true);
  pacing.hint();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(triggers).toEqual([0, 7]);
  expect(pacing.isWaiting).toBe(false);
});

it('keeps a hint whose trigger failed, and tries again without a new one', async () => {
  let fails = 3;
  const { pacing, triggers } = paced((hints) => Promise.resolve((fails -= 1) >= 0 ? undefined : hints()));
  pacing.hint();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(triggers).toEqual([0, 2, 4, 6]);
  expect(pacing.isWaiting).toBe(false);
});

it('triggers hints that are still waiting when it is stopped', async () => {
  const { pacing, triggers } = paced();
  pacing.hint();
  await vi.advanceTimersByTimeAsync(100);
  pacing.hint();
  await pacing.stop();
  expect(triggers).toEqual([0, 0.1]);
});
