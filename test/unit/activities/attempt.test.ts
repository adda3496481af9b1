import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Attempt, attempt } from '../../../activities/attempt.ts';
import type { Beat } from '../../../activities/contract.ts';
import {
  ApiUnavailableError,
  KeyMissingError,
  PermissionError,
  RateLimitedError,
} from '../../../src/errors.ts';

const minute = 60_000;
const unavailable = () => new ApiUnavailableError('GET /v2/alerts: 503', { status: 503 }, 7_000);

/** What a failing attempt reports to Temporal, given the last heartbeat of the attempts before it. */
async function failureAfter(
  heartbeatDetails: Beat | undefined,
  work: (attempt: Attempt) => Promise<never> = async () => {
    throw unavailable();
  },
): Promise<{ failure: ApplicationFailure; beats: Beat[] }> {
  const env = new MockActivityEnvironment({ heartbeatDetails }, { logger: new DefaultLogger('ERROR') });
  const beats: Beat[] = [];
  env.on('heartbeat', (beat: Beat) => beats.push(beat));
  const failure: unknown = await env.run(() => attempt(10 * minute, work)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  return { failure: failure as ApplicationFailure, beats };
}

it.each([
  ['sends no heartbeat if it is the first and ends soon: they are billed like activities', 1, 0],
  ['sends a heartbeat at once if it is a later one', 2, 1],
])('an attempt %s', async (_, number, count) => {
  const env = new MockActivityEnvironment({ attempt: number });
  let beats = 0;
  env.on('heartbeat', () => (beats += 1));
  await env.run(() => attempt(10 * minute, async () => 'done'));
  expect(beats).toBe(count);
});

it('reports the end of its wait at the rate limit, and stops once the wait is over', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const env = new MockActivityEnvironment();
  const beats: Beat[] = [];
  env.on('heartbeat', (beat: Beat) => beats.push(beat));
  await env.run(() =>
    attempt(10 * minute, async ({ waitsUntil }) => {
      waitsUntil(5_000_000);
      vi.advanceTimersToNextTimer();
      waitsUntil();
      vi.advanceTimersToNextTimer();
    }),
  );
  expect(beats.map(({ waitingUntil }) => waitingUntil)).toEqual([5_000_000, undefined]);
});

describe('an attempt that fails', () => {
  it('is retried when the API asks, and reports since when nothing has worked', async () => {
    const { failure, beats } = await failureAfter(undefined);
    expect(failure).toMatchObject({
      type: 'ApiUnavailableError',
      nonRetryable: false,
      nextRetryDelay: 7_000,
    });
    expect(beats.at(-1)!.failingSince).toBeGreaterThan(Date.now() - minute);
  });

  it('is retried within a limit, however long a delay the API asks for', async () => {
    const year = 365 * 86_400_000;
    const delayAfter = async (error: Error) => {
      const work = async () => {
        throw error;
      };
      return (await failureAfter(undefined, work)).failure.nextRetryDelay;
    };
    expect(await delayAfter(new ApiUnavailableError('503', { status: 503 }, year))).toBe(2 * minute);
    expect(await delayAfter(new RateLimitedError('429', year, { status: 429 }))).toBe(30 * minute);
  });

  it('does not report the cause, which may hold a vault’s secret, even if a shutdown ends it', async () => {
    const env = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const work = async () => {
      env.cancel('WORKER_SHUTDOWN');
      throw new KeyMissingError('no key', 'set it', { cause: new Error('vault token s.SECRET expired') });
    };
    const failure: unknown = await env.run(() => attempt(10 * minute, work)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ type: 'KeyMissingError', nonRetryable: false });
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect((failure as ApplicationFailure).cause).toBeUndefined();
  });

  it('fails the run when nothing has worked for as long as the run allows', async () => {
    const { failure } = await failureAfter({
      failingSince: Date.now() - 11 * minute,
      at: Date.now() - 5_000,
    });
    expect(failure.nonRetryable).toBe(true);
    expect(failure.message).toMatch(/ 11 minutes.*GET \/v2\/alerts: 503$/);
  });

  it('starts counting again after a gap that no back-off explains', async () => {
    const { failure } = await failureAfter({
      failingSince: Date.now() - 60 * minute,
      at: Date.now() - 30 * minute,
    });
    expect(failure.nonRetryable).toBe(false);
  });

  it('counts attempts that died without reporting', async () => {
    const { failure, beats } = await failureAfter({ at: Date.now() - 2 * minute });
    expect(failure.nonRetryable).toBe(false);
    expect(beats.at(-1)!.failingSince).toBeLessThan(Date.now() - minute);
  });

  it('does not count the time it waited at the rate limit', async () => {
    const { failure } = await failureAfter(
      { failingSince: Date.now() - 11 * minute, at: Date.now() - 5_000 },
      async ({ waited }) => {
        waited(5 * minute, false);
        throw unavailable();
      },
    );
    expect(failure.nonRetryable).toBe(false);
  });

  it('counts time in which the API refused its requests', async () => {
    const { failure } = await failureAfter(
      { failingSince: Date.now() - 11 * minute, at: Date.now() - 5_000 },
      async ({ waited }) => {
        waited(5 * minute, true);
        throw unavailable();
      },
    );
    expect(failure.nonRetryable).toBe(true);
  });

  it('continues counting after a wait that the API asked for, however long, and says when it ends', async () => {
    const limited = async () => {
      throw new RateLimitedError('429', 25 * minute, { status: 429 });
    };
    const first = await failureAfter(undefined, limited);
    const { failingSince, waitingUntil } = first.beats.at(-1)!;
    expect(waitingUntil).toBeGreaterThan(Date.now() + 24 * minute);
    const ago = 26 * minute;
    const second = await failureAfter(
      { at: Date.now() - ago, failingSince: failingSince! - ago, waitingUntil: waitingUntil! - ago },
      limited,
    );
    expect(second.failure).toMatchObject({ nonRetryable: true });
    expect(second.failure.message).toMatch(/\b26 minutes\b/);
  });

  it('is not retried if the API refuses requests for longer than the run may go without progress', async () => {
    const until = Date.now() + 60 * minute;
    const { failure } = await failureAfter(undefined, async () => {
      throw new RateLimitedError('429', 60 * minute, { status: 429 }, until);
    });
    expect(failure).toMatchObject({ type: 'RateLimitedError', nonRetryable: true });
    expect(failure.details).toMatchObject([{ retry: 'later' }]);
  });

  it('is not retried if a person has to act, and says what to do', async () => {
    const { failure } = await failureAfter(undefined, async () => {
      throw new PermissionError('GET /v2/alerts: 403', 'alerts.view', { status: 403, requestId: 'r' });
    });
    expect(failure.nonRetryable).toBe(true);
    expect(failure.details).toEqual([
      {
        advice: expect.stringContaining('alerts.view') as string,
        retry: 'never',
        status: 403,
        requestId: 'r',
      },
    ]);
  });

  it('is not retried if it is a bug, which a retry would hide', async () => {
    const { failure } = await failureAfter(undefined, async () => {
      throw new TypeError('undefined is not a function');
    });
    expect(failure).toMatchObject({ type: 'TypeError', nonRetryable: true });
  });

  it('is retried if the disk is full', async () => {
    const { failure } = await failureAfter(undefined, async () => {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    });
    expect(failure).toMatchObject({ type: 'ENOSPC', nonRetryable: false });
  });
});
