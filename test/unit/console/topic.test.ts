import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Topic } from '../../../src/console/live/topic.ts';

type State = { readonly at: string; readonly rows: number };

/** A topic whose reads are counted, with what each listener has got. */
function watched(read: () => number) {
  let reads = 0;
  const topic = new Topic<State>(() => {
    reads += 1;
    return Promise.resolve({ state: { at: String(reads), rows: read() }, nextInMs: 60_000 });
  });
  const listen = () => {
    const states: number[] = [];
    const failures: unknown[] = [];
    const stop = topic.listen({
      state: ({ rows }) => states.push(rows),
      failed: (error) => failures.push(error),
    });
    return { states, failures, stop };
  };
  return { topic, listen, reads: () => reads };
}

it('reads once for ten pages, not at all without any, and gives a new page the state at once', async () => {
  const { topic, listen, reads } = watched(() => 1);
  await sleep(0);
  expect(reads()).toBe(0);
  const pages = Array.from({ length: 9 }, listen);
  await expect.poll(() => pages.every(({ states }) => states.length === 1)).toBe(true);
  const late = listen();
  expect(late.states).toEqual([1]);
  expect(reads()).toBe(1);
  for (const { stop } of [...pages, late]) stop();
  topic.poke();
  await sleep(0);
  expect(reads()).toBe(1);
});

it('tells pages only what has changed', async () => {
  let rows = 1;
  const { topic, listen, reads } = watched(() => rows);
  const { states, stop } = listen();
  await expect.poll(() => states).toEqual([1]);
  topic.poke();
  await expect.poll(reads).toBe(2);
  rows = 2;
  topic.poke();
  await expect.poll(() => states).toEqual([1, 2]);
  stop();
});

it('keeps reading after a failure, and says that it failed', async () => {
  let fails = true;
  const { topic, listen } = watched(() => {
    if (fails) throw new Error('away');
    return 7;
  });
  const { states, failures, stop } = listen();
  await expect.poll(() => failures.length).toBe(1);
  fails = false;
  await expect
    .poll(() => {
      topic.poke();
      return states;
    })
    .toEqual([7]);
  stop();
});

it('does not give a later page state from before a time without listeners', async () => {
  let rows = 1;
  const { listen } = watched(() => rows);
  const first = listen();
  await expect.poll(() => first.states).toEqual([1]);
  first.stop();
  rows = 2;
  const second = listen();
  await expect.poll(() => second.states).toEqual([2]);
  second.stop();
});
