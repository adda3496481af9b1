import { expect, it } from 'vitest';
import { FairTurns } from '../../src/fair-turns.ts';

/** Work that lasts until it is told to end, and says when it starts. */
function workOn(turns: FairTurns) {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    started,
    ask(name: string, owner: string, weight = 1, signal?: AbortSignal): Promise<void> {
      return turns.take({ owner, weight, ...(signal && { signal }) }, () => {
        started.push(name);
        return new Promise((resolve) => ends.set(name, resolve));
      });
    },
    async end(name: string): Promise<void> {
      await new Promise((resolve) => setImmediate(resolve));
      ends.get(name)!();
      await new Promise((resolve) => setImmediate(resolve));
    },
    settled: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

it('owners take turns: a long list of one does not make another wait for its end', async () => {
  const work = workOn(new FairTurns(2));
  for (let index = 0; index < 6; index += 1) void work.ask(`a${index}`, 'a');
  void work.ask('b0', 'b');
  await work.end('a0');
  expect(work.started).toEqual(['a0', 'a1', 'b0']);
});

it('light work goes before heavy work that came first, but not forever', async () => {
  const work = workOn(new FairTurns(4));
  void work.ask('heavy', 'a', 3);
  void work.ask('whole', 'b', 4);
  void work.ask('light', 'c', 1);
  await work.settled();
  expect(work.started).toEqual(['heavy', 'light']);
  await work.end('heavy');
  let running = 'light';
  let asked = 0;
  for (; !work.started.includes('whole') && asked < 100; asked += 1) {
    const next = `light${asked}`;
    void work.ask(next, 'c', 1);
    await work.end(running);
    running = next;
  }
  expect(work.started).toContain('whole');
  // While it waits for its turn, at least some light work has gone first.
  expect(asked).toBeGreaterThan(8);
});

it('one owner leaves room for others, even if its work never ends', async () => {
  const work = workOn(new FairTurns(4, 3));
  for (let index = 0; index < 8; index += 1) void work.ask(`a${index}`, 'a');
  void work.ask('b0', 'b');
  await work.settled();
  expect(work.started).toEqual(['a0', 'a1', 'a2', 'b0']);
});

it('abandoned work gives up its place, and work that was held back for it continues', async () => {
  const turns = new FairTurns(1);
  const work = workOn(turns);
  const stop = new AbortController();
  void work.ask('first', 'a');
  const given = work.ask('given up', 'b', 1, stop.signal);
  void work.ask('second', 'c');
  stop.abort(new Error('no longer needed'));
  await expect(given).rejects.toThrow('no longer needed');
  await work.end('first');
  expect(work.started).toEqual(['first', 'second']);
});

it('failed work gives its turn back', async () => {
  const turns = new FairTurns(1);
  const failing = turns.take({ owner: 'a', weight: 1 }, () => Promise.reject(new Error('broken')));
  await expect(failing).rejects.toThrow('broken');
  await expect(turns.take({ owner: 'a', weight: 5 }, () => Promise.resolve('done'))).resolves.toBe('done');
});
