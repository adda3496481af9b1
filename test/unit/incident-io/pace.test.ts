import { setMaxListeners } from 'node:events';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pace, PatienceExhausted, type Turn } from '../../../src/incident-io/pace.ts';
import { Buckets, realLimits } from '../../../src/sandbox/buckets.ts';

const incidents = { name: '/v2/incidents', capacity: 60, perSecond: 1 };
const { signal } = new AbortController();
setMaxListeners(0, signal);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Counts the turns given so far to requests that are answered at once, without headers. */
function ask(pace: Pace, count: number, request: Partial<Parameters<Pace['turn']>[0]> = {}) {
  const given = { count: 0, order: [] as number[] };
  for (let index = 0; index < count; index += 1) {
    void pace.turn({ work: 0, signal, ...request }).then((turn) => {
      given.count += 1;
      given.order.push(request.work ?? 0);
      turn.done();
    });
  }
  return given;
}

describe('Pace', () => {
  it('spends all tokens at once and then keeps to the refill', async () => {
    const given = ask(new Pace(), 1_500);
    await vi.advanceTimersByTimeAsync(0);
    expect(given.count).toBe(1_200);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(given.count).toBe(1_400);
  });

  it('does not make others wait for an endpoint whose own bucket is empty', async () => {
    const pace = new Pace();
    const slow = ask(pace, 100, { bucket: incidents, work: 1_000 });
    const others = ask(pace, 100);
    await vi.advanceTimersByTimeAsync(0);
    expect([slow.count, others.count]).toEqual([60, 100]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(slow.count).toBe(65);
  });

  it('gives the next token to the cursor with the most work left', async () => {
    const pace = new Pace();
    ask(pace, 1_200);
    await vi.advanceTimersByTimeAsync(0);
    const order: number[] = [];
    for (const work of [3, 9, 1, 7]) {
      void pace.turn({ work, signal }).then((turn) => {
        order.push(work);
        turn.done();
      });
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(order).toEqual([9, 7, 3, 1]);
  });

  it("trusts the server's count, less what was sent after it, over its own", async () => {
    const pace = new Pace();
    const turns: Turn[] = [];
    for (let index = 0; index < 5; index += 1) turns.push(await pace.turn({ work: 0, signal }));
    // Another tool spent the key's tokens: 104 are left, and four of ours were sent since.
    turns[0]!.done({ limit: 1_200, remaining: 104 });
    const given = ask(pace, 100);
    await vi.advanceTimersByTimeAsync(0);
    // Two seconds' worth of tokens is shared with others.
    expect(given.count).toBe(100 - 40 + 1);
  });

  it('does not mistake an older answer for a newer one if answers overtake each other', async () => {
    const pace = new Pace();
    const turns: Turn[] = [];
    for (let index = 0; index < 5; index += 1) turns.push(await pace.turn({ work: 0, signal }));
    turns[4]!.done({ limit: 1_200, remaining: 0 });
    turns[0]!.done({ limit: 1_200, remaining: 1_000 });
    const given = ask(pace, 100);
    await vi.advanceTimersByTimeAsync(40);
    expect(given.count).toBe(0);
  });

  it('stops every request of the bucket for as long as a 429 says', async () => {
    const pace = new Pace();
    const turn = await pace.turn({ work: 0, signal, bucket: incidents });
    turn.done({ limit: 60, remaining: 0, retryAfterMs: 7_000 });
    const blocked = ask(pace, 3, { bucket: incidents });
    const others = ask(pace, 3);
    await vi.advanceTimersByTimeAsync(6_999);
    expect([blocked.count, others.count]).toEqual([0, 3]);
    await vi.advanceTimersByTimeAsync(1);
    expect(blocked.count).toBe(1);
  });

  it('does not follow a 429 with an absurd wait, which would stop the key until the process ends', async () => {
    const pace = new Pace();
    // Seconds since the epoch, as some proxies send.
    (await pace.turn({ work: 0, signal })).done({ retryAfterMs: 1_785_173_199_000 });
    const blocked = ask(pace, 1);
    await vi.advanceTimersByTimeAsync(29 * 60_000);
    expect(blocked.count).toBe(0);
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    expect(blocked.count).toBe(1);
  });

  describe('if the API refuses requests without a wait', () => {
    /** Asks again after each refusal; returns the seconds at which it asked. */
    async function refused(pace: Pace, patienceMs: number, retryAfterMs = 0) {
      const asked: number[] = [];
      const began = performance.now();
      let end: unknown;
      const asking = (async () => {
        for (;;) {
          const turn = await pace.turn({ work: 0, signal, patience: { ms: patienceMs, began } });
          asked.push(Math.round((performance.now() - began) / 1_000));
          turn.done({ retryAfterMs });
        }
      })().catch((error: unknown) => {
        end = error;
      });
      await vi.advanceTimersByTimeAsync(patienceMs + 60_000);
      await asking;
      return { asked, end };
    }

    it('pauses for longer and longer, and gives up when its patience is exhausted', async () => {
      const { asked, end } = await refused(new Pace(), 120_000);
      expect(asked).toEqual([0, 0, 0, 0, 0, 0, 1, 3, 7, 15, 31, 63, 123]);
      expect(end).toBeInstanceOf(PatienceExhausted);
      expect((end as PatienceExhausted).refusedMs).toBeGreaterThanOrEqual(120_000);
    });

    it('never pauses for more than a minute at a time', async () => {
      const { asked } = await refused(new Pace(), 600_000);
      expect(asked.slice(-3).map((at, index, all) => at - (all[index - 1] ?? at))).toEqual([0, 60, 60]);
    });

    it('begins with short pauses again after a request that got through, or a minute without requests', async () => {
      const pace = new Pace();
      await refused(pace, 60_000);
      await vi.advanceTimersByTimeAsync(120_000);
      expect((await refused(pace, 10_000)).asked.slice(5, 8)).toEqual([0, 1, 3]);
      await vi.advanceTimersByTimeAsync(10_000);
      (await pace.turn({ work: 0, signal })).done({ isAccepted: true });
      expect((await refused(pace, 10_000)).asked.slice(5, 8)).toEqual([0, 1, 3]);
    });

    it('does not count refusals from before the request', async () => {
      const pace = new Pace();
      await refused(pace, 120_000);
      const { asked, end } = await refused(pace, 120_000);
      expect(asked.length).toBeGreaterThan(1);
      expect((end as PatienceExhausted).refusedMs).toBeLessThan(200_000);
    });
  });

  it('gives up at once if it is asked to wait for longer than its patience, and says until when', async () => {
    const pace = new Pace();
    const hour = 3_600_000;
    (await pace.turn({ work: 0, signal })).done({ retryAfterMs: hour });
    const patience = { ms: 600_000, began: performance.now() };
    const asking = pace.turn({ work: 0, signal, patience });
    await expect(asking).rejects.toMatchObject({ until: Date.now() + hour });
  });

  it('says until when it waits, and that it has waited because of a refusal', async () => {
    const pace = new Pace();
    (await pace.turn({ work: 0, signal })).done({ retryAfterMs: 7_000 });
    const told: number[] = [];
    const until = Date.now() + 7_000;
    const asking = pace.turn({ work: 0, signal, onRefused: (at) => told.push(at) });
    ask(pace, 5);
    await vi.advanceTimersByTimeAsync(7_000);
    expect(told).toEqual([until]);
    expect((await asking).refused).toBe(true);
  });

  it('waits no longer if the wall clock is set back', async () => {
    const pace = new Pace();
    (await pace.turn({ work: 0, signal })).done({ retryAfterMs: 1_000 });
    vi.setSystemTime(Date.now() - 3_600_000);
    const blocked = ask(pace, 1);
    await vi.advanceTimersByTimeAsync(1_001);
    expect(blocked.count).toBe(1);
  });

  it('leaves half of the bucket and of its refill to others when asked to', async () => {
    const pace = new Pace();
    const given = ask(pace, 2_000, { leaveHalf: true });
    await vi.advanceTimersByTimeAsync(0);
    expect(given.count).toBe(600);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(given.count).toBe(700);
    // A request in a hurry gets the rest at once.
    const others = ask(pace, 1_000);
    await vi.advanceTimersByTimeAsync(0);
    expect(others.count).toBe(700);
  });

  it('waits while others keep the bucket below its half, and continues even if they never rest', async () => {
    const pace = new Pace();
    const turn = await pace.turn({ work: 0, signal, leaveHalf: true });
    turn.done({ limit: 1_200, remaining: 300 });
    const given = ask(pace, 1, { leaveHalf: true });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(given.count).toBe(0);
    await vi.advanceTimersByTimeAsync(100);
    expect(given.count).toBe(1);

    (await pace.turn({ work: 0, signal })).done({ limit: 1_200, remaining: 100 });
    const starved = ask(pace, 1, { leaveHalf: true });
    const others = setInterval(() => {
      void pace.turn({ work: 9, signal }).then((other) => other.done({ limit: 1_200, remaining: 100 }));
    }, 1_000);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(starved.count).toBe(0);
    await vi.advanceTimersByTimeAsync(2_000);
    clearInterval(others);
    expect(starved.count).toBe(1);
  });

  it('leaves half of what the API says there is, even if that is less than documented', async () => {
    const pace = new Pace();
    (await pace.turn({ work: 0, signal, leaveHalf: true })).done({ limit: 300, remaining: 299 });
    const given = ask(pace, 300, { leaveHalf: true });
    await vi.advanceTimersByTimeAsync(0);
    expect(given.count).toBe(149);
  });

  it('forgets a request that is cancelled while it waits', async () => {
    const pace = new Pace();
    ask(pace, 1_200);
    const cancel = new AbortController();
    const waiting = pace.turn({ work: 5, signal: cancel.signal });
    const after = ask(pace, 1);
    cancel.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    await vi.advanceTimersByTimeAsync(50);
    expect(after.count).toBe(1);
  });

  it('never exceeds the bucket of the API, whenever requests come and however late the answers are', async () => {
    const events = fc.array(
      fc.record({ requests: fc.integer({ min: 1, max: 40 }), pause: fc.integer({ min: 0, max: 3_000 }) }),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(events, fc.integer({ min: 0, max: 2_000 }), async (bursts, latency) => {
        const pace = new Pace();
        let tokens = 60;
        let at = Date.now();
        let refused = 0;
        for (const { requests, pause } of bursts) {
          for (let index = 0; index < requests; index += 1) {
            void pace.turn({ work: 0, signal, bucket: incidents }).then(async (turn) => {
              tokens = Math.min(60, tokens + (Date.now() - at) / 1_000) - 1;
              at = Date.now();
              // The timer rounds up to whole milliseconds, so a tiny fraction of a token is not a fault.
              if (tokens < -0.01) refused += 1;
              setTimeout(() => turn.done(), latency);
            });
          }
          await vi.advanceTimersByTimeAsync(pause);
        }
        await vi.advanceTimersByTimeAsync(1_000_000);
        expect(refused).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  it('shares the bucket with other processes: all of it is used, and few requests are refused', async () => {
    const shares = fc.record({
      processes: fc.integer({ min: 1, max: 16 }),
      cursors: fc.integer({ min: 16, max: 48 }),
      // Answers that all take the same time keep many processes in step, as no real network does.
      latencies: fc.tuple(fc.integer({ min: 20, max: 200 }), fc.integer({ min: 20, max: 300 })),
      // One that was alone has to notice the next.
      apartMs: fc.constantFrom(0, 1_000, 5_000),
    });
    await fc.assert(
      fc.asyncProperty(shares, async ({ processes, cursors, latencies: [least, spread], apartMs }) => {
        const found = await share(processes, cursors, least, spread, apartMs);
        const { requests, refused, seconds, floor } = found;
        expect(floor / seconds).toBeGreaterThanOrEqual(0.9);
        // Up to four, only requests that were under way when the bucket ran low are refused.
        expect(refused).toBeLessThan(processes <= 4 ? cursors / 2 : requests / 10);
      }),
      { numRuns: 10 },
    );
  });

  it('leaves less than a second’s worth of tokens to others if there are none', async () => {
    const { refused, seconds, floor } = await share(1, 24, 100, 50);
    expect(seconds - floor).toBeLessThan(0.8);
    expect(refused).toBe(0);
  });
});

/**
 * Reads 1,200 pages by the cursors of several processes, which begin some time apart, from a bucket that was used
 * before.
 */
async function share(processes: number, cursors: number, leastMs: number, spreadMs: number, apartMs = 0) {
  const server = new Buckets(realLimits.all, new Map(), Date.now);
  const left = 200;
  for (let index = left; index < realLimits.all.capacity; index += 1) server.take('/v2/alerts');
  const paces = Array.from({ length: processes }, () => new Pace());
  const began = Date.now();
  let [pages, requests, refused, ended] = [1_200, 0, 0, began];
  const read = async (pace: Pace, latency: () => number, afterMs: number) => {
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    while (pages > 0) {
      pages -= 1;
      for (;;) {
        const turn = await pace.turn({ work: 0, signal });
        requests += 1;
        const { isGranted, limit, headers } = server.take('/v2/alerts');
        await new Promise((resolve) => setTimeout(resolve, latency()));
        turn.done({
          limit,
          remaining: Number(headers['X-RateLimit-Remaining']),
          isAccepted: isGranted,
          ...(!isGranted && { retryAfterMs: Number(headers['Retry-After']) * 1_000 }),
        });
        if (isGranted) break;
        refused += 1;
      }
      ended = Date.now();
    }
  };
  const reading = Array.from({ length: cursors }, (_, cursor) => {
    // Irregular, and the same in every run.
    let step = cursor;
    const latency = () => leastMs + (((step += 1) * 7_919) % (spreadMs + 1));
    const process = cursor % processes;
    return read(paces[process]!, latency, process * apartMs);
  });
  await vi.runAllTimersAsync();
  await Promise.all(reading);
  return {
    requests,
    refused,
    seconds: (ended - began) / 1_000,
    floor: (1_200 - left) / realLimits.all.perSecond,
  };
}
