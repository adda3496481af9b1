import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { Clients } from '../../../activities/clients.ts';
import type { TableRun } from '../../../activities/contract.ts';
import { KnownIdentity } from '../../../activities/known-identity.ts';
import { AccountMismatchError } from '../../../src/errors.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';

const answer = { account: 'acme', visibility: '{}', name: undefined, answeredAt: 1_800_000_000_000 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'], now: 1_800_000_000_500 });
});
afterEach(() => {
  vi.useRealTimers();
});

it('advances the API’s clock, but never past the real time: a watermark ahead of it would lose changes', () => {
  const known = new KnownIdentity(answer);
  vi.advanceTimersByTime(90_000);
  expect(known.now()).toEqual({ ...answer, answeredAt: answer.answeredAt + 90_000 });
});

it('does not use an answer that is more than an hour old: what the key may see could have changed', () => {
  const known = new KnownIdentity(answer);
  vi.advanceTimersByTime(3_600_000);
  expect(known.now()).toBeDefined();
  vi.advanceTimersByTime(1);
  expect(known.now()).toBeUndefined();
});

it('does not guess the API’s clock after the machine slept, or without a clock to begin with', () => {
  const known = new KnownIdentity(answer);
  vi.setSystemTime(Date.now() + 60_000);
  expect(known.now()).toBeUndefined();
  expect(new KnownIdentity({ ...answer, answeredAt: undefined }).now()).toBeUndefined();
});

async function place(): Promise<{ sandbox: Sandbox; clients: Clients; run: TableRun; asked: () => number }> {
  const sandbox = await startSandbox({ limits: 'off', sizes: { incidents: 1 } });
  onTestFinished(() => sandbox.stop());
  vi.stubEnv('IDENTITY_TEST_KEY', sandbox.key);
  const limits = { batchRows: 1_000, batchMs: 1_000, giveUpAfterMs: 1_000 };
  const run: TableRun = {
    table: 'users',
    apiKey: { env: 'IDENTITY_TEST_KEY' },
    baseUrl: sandbox.url,
    account: 'unknown',
    chainId: 'chain',
    runId: 'run',
    limits,
  };
  const asked = () => sandbox.requests.filter(({ url }) => url.startsWith('/v1/identity')).length;
  return { sandbox, clients: new Clients(), run, asked };
}

it('asks once for many runs with a key, and again for another key', async () => {
  const { sandbox, clients, run, asked } = await place();
  const call = { signal: AbortSignal.timeout(10_000) };
  await clients.identityOf(run, call);
  await clients.identityOf({ ...run, table: 'alerts' }, call);
  expect(asked()).toBe(1);
  vi.stubEnv('IDENTITY_TEST_KEY', sandbox.addKey());
  await clients.identityOf(run, call);
  expect(asked()).toBe(2);
  vi.advanceTimersByTime(3_600_001);
  await clients.identityOf(run, call);
  expect(asked()).toBe(3);
});

it('asks once for the tables of a connection, which start together', async () => {
  const { clients, run, asked } = await place();
  const call = { signal: AbortSignal.timeout(10_000) };
  await Promise.all([
    clients.identityOf(run, call),
    clients.identityOf({ ...run, table: 'alerts' }, call),
    clients.assertAccount({ ...run, table: 'incidents' }, call),
    expect(clients.identityOf({ ...run, account: 'another' }, call)).rejects.toThrow(AccountMismatchError),
  ]);
  expect(asked()).toBe(1);
});

it('asks for itself if the run whose answer it waits for is cancelled', async () => {
  const { clients, run, asked } = await place();
  const cancel = new AbortController();
  const cancelled = clients.identityOf(run, { signal: cancel.signal });
  const other = clients.identityOf(run, { signal: AbortSignal.timeout(10_000) });
  const waits = clients.identityOf(run, { signal: cancel.signal });
  cancel.abort(new Error('cancelled'));
  await expect(cancelled).rejects.toThrow('cancelled');
  await expect(waits).rejects.toThrow('cancelled');
  expect((await other).account).not.toBe('unknown');
  expect(asked()).toBeLessThanOrEqual(2);
});

it('says that it waits, as if it asked itself, while the API refuses the one request', async () => {
  vi.useRealTimers();
  const { sandbox, clients, run } = await place();
  sandbox.fault({ times: 1, fault: { kind: 'error', status: 429, retryAfterSeconds: 1 } });
  const told: string[] = [];
  const call = (who: string) => ({
    signal: AbortSignal.timeout(10_000),
    onRefused: (until?: number) => void (until !== undefined && told.push(who)),
  });
  await Promise.all([clients.identityOf(run, call('first')), clients.identityOf(run, call('second'))]);
  expect(told).toEqual(['first', 'second']);
});

it('refuses a run of another account, even based on a remembered answer', async () => {
  const { clients, run, asked } = await place();
  const call = { signal: AbortSignal.timeout(10_000) };
  await clients.identityOf(run, call);
  await expect(clients.identityOf({ ...run, account: 'another' }, call)).rejects.toThrow(
    AccountMismatchError,
  );
  expect(asked()).toBe(1);
});
