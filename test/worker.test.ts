import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../src/sandbox/sandbox.ts';
import { startCommand } from './helpers/command.ts';
import { connectionTo, keyVariable, startOnWorkerQueue, type TestLink } from './helpers/worker-queue.ts';
import { connectToTestServer } from './helpers/temporal.ts';
import { expectTruth } from './helpers/truth.ts';

const temporal = await connectToTestServer();

/** A key that cannot stand in a log by chance, and that JSON spells otherwise than it is. */
const key = 'inc_"secret"\\4711';

async function sandboxOf(options: SandboxOptions): Promise<Sandbox> {
  const sandbox = await startSandbox({ limits: 'off', key: { key }, ...options });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

function startWorker({ settings }: TestLink, ...options: readonly string[]) {
  return startCommand(['worker', '--settings', settings, ...options], {
    TEMPORAL_ADDRESS: temporal.address,
    [keyVariable]: key,
  });
}

/** Returns when the sandbox has been asked so often. */
async function asked(sandbox: Sandbox, times: number): Promise<void> {
  while (sandbox.requests.length < times) await sleep(5);
}

it('hands over what it holds on SIGTERM: another worker goes on and nothing staged is read twice', async () => {
  const sandbox = await sandboxOf({ latencyMs: 25, sizes: { incident_updates: 15_000 } });
  const connection = await connectionTo(sandbox, { incident_updates: { sync: 'full_refresh', every: '6h' } });
  const first = startWorker(connection);
  await first.says('worker started');
  const run = await startOnWorkerQueue(temporal, sandbox, connection, 'incident_updates');
  await asked(sandbox, 15);
  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  const askedByFirst = sandbox.requests.length;
  expect(askedByFirst).toBeLessThan(40);

  startWorker(connection);
  const { read } = await run.result();
  await expectTruth(sandbox, connection.destination, ['incident_updates']);
  // The batch was completed, not tried again: what it had read counts, and no page counts twice (the last is empty).
  expect(read).toMatchObject({ rows: 15_000, pages: 61, batches: 3 });
  // Only the page that was under way at that moment is asked for a second time.
  const urls = sandbox.requests.map(({ url }) => url).filter((url) => url.startsWith('/v2/incident_updates'));
  expect(urls.length - new Set(urls).size).toBeLessThanOrEqual(1);
});
