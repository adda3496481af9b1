import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { quietRuntime } from '../../src/serving/runtime.ts';
import { disturb, kills, restless, seed, tables } from '../helpers/restless.ts';
import { sync, temporaryFolder } from '../helpers/sync.ts';
import { connectToTestServer } from '../helpers/temporal.ts';
import { expectTruth } from '../helpers/truth.ts';

quietRuntime();
const temporal = await connectToTestServer();

/** Five thousand in every test run, 30,000 in `npm run torture`. */
const incidents = Number(process.env['TORTURE_INCIDENTS'] ?? 5_000);

it(
  `no row is lost, doubled or stale after the worker was killed ${kills} times (seed ${seed})`,
  {
    timeout: 60_000 + kills * 10_000,
  },
  async () => {
    const sizes = { incidents: 700, incident_updates: 500, alerts: 2_000, users: 40 };
    const { sandbox, linked, startWorker } = await restless(temporal, sizes);
    const moments = fc.sample(
      fc.record({ afterMs: fc.integer({ min: 0, max: 1_500 }), index: fc.integer({ min: 0, max: 699 }) }),
      { numRuns: kills, seed },
    );
    for (const { afterMs, index } of moments) {
      const worker = startWorker();
      await worker.says('worker started');
      disturb(sandbox, index, afterMs);
      // This only varies the moment of the kill; the test passes at any time.
      await sleep(afterMs);
      worker.child.kill('SIGKILL');
      await worker.ended;
    }

    const last = startWorker();
    await last.says('worker started');
    for (const table of tables) {
      const { rows } = await linked.run(table);
      expect(rows).toBeGreaterThan(0);
    }
    await expectTruth(sandbox, linked.destination, tables);
  },
);

it(
  `a first sync of ${incidents} incidents completes on its own while a fifth of all responses fail`,
  { timeout: 120_000 + incidents * 20 },
  async () => {
    const sandbox = await startSandbox({ limits: 'off', faults: 0.2, sizes: { incidents } });
    onTestFinished(() => sandbox.stop());
    const destination = await temporaryFolder();
    const [outcome] = await sync(temporal, sandbox, destination, { tables: ['incidents'] });
    expect(outcome).toMatchObject({ status: 'synced', result: { fullRead: true, rows: incidents } });
    const failed = sandbox.requests.filter(({ fault }) => fault !== undefined).length;
    expect(failed).toBeGreaterThan(sandbox.requests.length / 10);
    await expectTruth(sandbox, destination, ['incidents']);
  },
);
