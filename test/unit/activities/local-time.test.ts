import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type Attempt, attempt } from '../../../activities/attempt.ts';
import { inLocalTime } from '../../../activities/local-time.ts';
import type { Step } from '../../../activities/step.ts';
import { shuttingDown, withStopping } from '../../../activities/stopping.ts';
import { ApiUnavailableError } from '../../../src/errors.ts';
import { tableNamed } from '../../../src/tables/index.ts';

/** What a step that waits for the API until it is told to end is told, after `seconds` of waiting. */
async function toldAfter(seconds: number, isLocal: boolean, isStopping = () => false) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const signal = new AbortController().signal;
  const step = { table: tableNamed('alerts'), call: { signal } } as Step;
  const tried: Attempt = { signal, waited: () => {}, waitsUntil: () => {} };
  let ended: unknown;
  const waiting = new MockActivityEnvironment({ isLocal }).run(() =>
    withStopping(isStopping, () =>
      inLocalTime(step, tried, shuttingDown(), ({ call }, own) => {
        expect(call.signal).toBe(own.signal);
        return new Promise<never>((_, reject) =>
          own.signal.addEventListener('abort', () => reject(own.signal.reason as Error)),
        );
      }),
    ),
  );
  waiting.catch((error: unknown) => (ended = error));
  await vi.advanceTimersByTimeAsync(seconds * 1_000);
  return ended;
}

it('a step within a workflow task ends its requests after five seconds, so that an activity continues', async () => {
  expect(await toldAfter(4, true)).toBeUndefined();
  const ended = await toldAfter(6, true);
  expect(ended).toBeInstanceOf(ApiUnavailableError);
  expect(ended).toMatchObject({ retry: 'later', message: expect.stringContaining('alerts') as string });
});

it('a step within a workflow task ends its requests when the worker shuts down, as the SDK cancels only others', async () => {
  expect(await toldAfter(1, true, () => true)).toBeInstanceOf(ApiUnavailableError);
});

it('an activity has no such limit', async () => {
  expect(await toldAfter(3_600, false)).toBeUndefined();
});

it('an attempt within a workflow task sends no heartbeats, which would only fill the log with warnings', async () => {
  const env = new MockActivityEnvironment(
    { isLocal: true, attempt: 2 },
    { logger: new DefaultLogger('ERROR') },
  );
  let beats = 0;
  env.on('heartbeat', () => (beats += 1));
  await env.run(() => attempt(1_000, () => Promise.reject(new Error('failed')))).catch(() => undefined);
  expect(beats).toBe(0);
});
