import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { WhenIdle } from '../../../src/warehouse/when-idle.ts';

let done: number;
let whenIdle: WhenIdle;

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  done = 0;
  whenIdle = new WhenIdle(() => {
    done += 1;
    return Promise.resolve();
  });
});

it('is done once after a job that needs it', () => {
  whenIdle.begin();
  whenIdle.end(true);
  expect(done).toBe(0);
  vi.runAllTimers();
  expect(done).toBe(1);
  // Not again after one that does not need it.
  whenIdle.begin();
  whenIdle.end(false);
  vi.runAllTimers();
  expect(done).toBe(1);
});

it('waits for jobs that begin in the meantime', () => {
  whenIdle.begin();
  whenIdle.end(true);
  whenIdle.begin();
  whenIdle.begin();
  whenIdle.end(false);
  vi.runAllTimers();
  expect(done).toBe(0);
  whenIdle.end(false);
  vi.runAllTimers();
  expect(done).toBe(1);
});

it('is not done any more after it was stopped', async () => {
  whenIdle.begin();
  whenIdle.end(true);
  await whenIdle.stop();
  vi.runAllTimers();
  expect(done).toBe(0);
});
